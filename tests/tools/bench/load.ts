import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { hmac } from '../../../core/webhooks/signature.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { waitUntilIdle } from '../../../infra/scenario/hub/idle.ts';
import { type Hub, openHub } from '../../../infra/scenario/hub/open-hub.ts';
import { assembly } from '../../../infra/stack/assembly.ts';
import { root } from '../../../infra/stack/bundle.ts';

const PEOPLE = 100;
const MESSAGES = 1000;
const CONCURRENCY = 16;
const PUBLIC_URL = 'https://acme.example';

export interface Load {
  /** Seconds to synthesise the template and to open the hub. */
  readonly readySeconds: number;
  /** Interactions per second, from the first webhook until every queue is empty, both CRMs included. */
  readonly perSecond: number;
  readonly interactions: number;
  /** Milliseconds of processor time of all functions, services and CRMs together, per interaction. */
  readonly cpuMs: number;
  /** AWS requests of all functions, per interaction. */
  readonly requests: number;
  readonly crmCalls: Readonly<Record<string, number>>;
}

/** Synthesises the template anew, then opens a hub. */
const openMeasuredHub = async (folder: string): Promise<{ hub: Hub; readySeconds: number }> => {
  const startedAt = performance.now();
  execFileSync(process.execPath, [join(root, 'infra', 'app.ts')], {
    env: { ...process.env, CDK_OUTDIR: join(folder, 'assembly') },
    stdio: 'ignore',
  });
  const synthesisMs = performance.now() - startedAt;
  await assembly();
  const openedAt = performance.now();
  const hub = await openHub(
    {
      port: 0,
      publicUrl: PUBLIC_URL,
      state: join(folder, 'state.sqlite'),
      longestWindowSeconds: Number.POSITIVE_INFINITY,
    },
    () => {},
  );
  return { hub, readySeconds: (synthesisMs + performance.now() - openedAt) / 1000 };
};

const storeSecret = (hub: Hub): Promise<unknown> =>
  new SecretsManagerClient(clientConfig(hub.runtime)).send(
    new PutSecretValueCommand({
      SecretId: `${hub.name}/channels/twilio`,
      SecretString: JSON.stringify({ authToken: 'token' }),
    }),
  );

/** Sends an SMS webhook of Twilio, one of several people by turns. */
const sendMessage = async (apiUrl: string, serial: number): Promise<void> => {
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
  const signature = hmac('sha1', 'token', 'base64', `${PUBLIC_URL}/webhooks/twilio`, sorted);
  const response = await fetch(`${apiUrl}/webhooks/twilio`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
    body: new URLSearchParams(fields).toString(),
  });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`Delivery ${serial} was answered with ${response.status}.`);
};

const sendMessages = async (apiUrl: string): Promise<void> => {
  let next = 0;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (next < MESSAGES) await sendMessage(apiUrl, next++);
    }),
  );
};

const countInteractions = ({ cloud }: Hub): number => {
  const row = cloud.db
    .prepare(`SELECT count(*) AS count FROM dynamodb_items WHERE item LIKE '%"sk":{"S":"at#%'`)
    .get();
  const interactions = Number(row?.['count']);
  if (interactions < MESSAGES)
    throw new Error(`Only ${interactions} of ${MESSAGES} messages became interactions.`);
  return interactions;
};

/** A thousand messages of a hundred people through the whole hub: sockets, workers, CRMs. */
export const benchLoad = async (): Promise<Load> => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-load-'));
  const { hub, readySeconds } = await openMeasuredHub(folder);
  try {
    await storeSecret(hub);
    const requestsBefore = total(hub.cloud.counts);
    const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
    await sendMessages(hub.apiUrl);
    // The projections function gathers a hundred events, for which no other function waits.
    await waitUntilIdle(hub, /^Projections/u);
    const seconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    await waitUntilIdle(hub);
    const interactions = countInteractions(hub);
    const requests = (total(hub.cloud.counts) - requestsBefore) / interactions;
    return {
      ...{ readySeconds, interactions, requests },
      perSecond: interactions / seconds,
      cpuMs: (user + system) / 1000 / interactions,
      crmCalls: { salesforce: hub.crms.salesforce.requests(), hubspot: hub.crms.hubspot.requests() },
    };
  } finally {
    await hub.stop();
    rmSync(folder, { recursive: true });
  }
};

const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);
