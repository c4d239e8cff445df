import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { hmac } from '../../core/signature.ts';
import { clientConfig } from '../../functions/aws/client.ts';
import { openHub, quiet } from '../../infra/local/hub.ts';

const PEOPLE = 100;
const MESSAGES = 1000;
const AT_ONCE = 16;

export interface Load {
  /** Until the hub answers, in seconds. */
  readonly ready: number;
  /** From the first webhook until every queue is empty, both CRMs included, per second. */
  readonly perSecond: number;
  /** AWS requests of all functions, per interaction. */
  readonly requests: number;
  readonly crmCalls: Readonly<Record<string, number>>;
}

/** A thousand messages of a hundred people through the whole hub: sockets, workers, CRMs. */
export const benchLoad = async (): Promise<Load> => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-load-'));
  const publicUrl = 'https://acme.example';
  const began = performance.now();
  const hub = await openHub({ port: 0, publicUrl, state: join(folder, 'state.sqlite') }, () => {});
  try {
    const ready = (performance.now() - began) / 1000;
    const secret = {
      SecretId: `${hub.name}/channels/twilio`,
      SecretString: JSON.stringify({ authToken: 'token' }),
    };
    await new SecretsManagerClient(clientConfig(hub.runtime)).send(new PutSecretValueCommand(secret));
    const send = async (serial: number): Promise<void> => {
      const fields = {
        MessageSid: `SM${serial}`,
        From: `+141555${String(10_000 + (serial % PEOPLE))}`,
        To: '+15005550006',
        Body: `Message ${serial}`,
      };
      const sorted = Object.entries(fields)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .flat()
        .join('');
      const signature = hmac('sha1', 'token', 'base64', `${publicUrl}/webhooks/twilio`, sorted);
      const response = await fetch(`${hub.apiUrl}/webhooks/twilio`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
        body: new URLSearchParams(fields).toString(),
      });
      await response.arrayBuffer();
      if (response.status !== 200)
        throw new Error(`Delivery ${serial} was answered with ${response.status}.`);
    };
    const before = total(hub.cloud.counts);
    const started = performance.now();
    let next = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (next < MESSAGES) await send(next++);
      }),
    );
    await quiet(hub);
    const seconds = (performance.now() - started) / 1000;
    const interactions = Number(
      hub.cloud.db
        .prepare(`SELECT count(*) AS count FROM dynamodb_items WHERE item LIKE '%"sk":{"S":"at#%'`)
        .get()?.['count'],
    );
    if (interactions < MESSAGES)
      throw new Error(`Only ${interactions} of ${MESSAGES} messages became interactions.`);
    return {
      ready,
      perSecond: interactions / seconds,
      requests: (total(hub.cloud.counts) - before) / interactions,
      crmCalls: { salesforce: hub.crms.salesforce.calls(), hubspot: hub.crms.hubspot.calls() },
    };
  } finally {
    await hub.stop();
    rmSync(folder, { recursive: true });
  }
};

const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);
