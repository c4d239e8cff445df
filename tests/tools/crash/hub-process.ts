import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { publish } from '../../../functions/aws/operations/publish.ts';
import { waitUntilIdle } from '../../../infra/scenario/hub/idle.ts';
import { publishPortsOf } from '../../../infra/scenario/hub/in-process-hub.ts';
import { type Hub, openHub, readApiKey } from '../../../infra/scenario/hub/open-hub.ts';
import { brokenInvariants } from './invariants.ts';

// The hub of `npm start` as a process of its own, which the crash run kills. It takes its orders from its parent, and
// ends with it.

const Told = z.object({
  acknowledged: z.array(z.object({ text: z.string(), identifier: z.string() })),
  refused: z.array(z.string()),
  unanswered: z.array(z.string()),
});

/** What the parent asks for. */
export const Order = z.discriminatedUnion('order', [
  z.object({
    order: z.literal('open'),
    state: z.string(),
    publicUrl: z.string(),
    ahead: z.number(),
    secrets: z.record(z.string(), z.record(z.string(), z.string())),
    /** E-mail addresses whose owners want marketing. */
    granted: z.array(z.string()),
  }),
  z.object({ order: z.literal('rest') }),
  z.object({ order: z.literal('check'), told: Told }),
]);
export type Order = z.infer<typeof Order>;

export const Report = z.discriminatedUnion('report', [
  z.object({ report: z.literal('open'), url: z.string() }),
  z.object({ report: z.literal('resting') }),
  z.object({
    report: z.literal('checked'),
    broken: z.array(z.string()),
    counts: z.record(z.string(), z.number()),
  }),
  z.object({ report: z.literal('failed'), reason: z.string() }),
]);
export type Report = z.infer<typeof Report>;

const offer = {
  id: 'offer',
  name: 'Offer',
  category: 'marketing',
  on: { kind: ['message'], direction: ['inbound'], channel: ['email'] },
  send: { channels: ['email'], template: 'offer' },
};
const templates = { offer: { 'email.liquid': '---\nsubject: An offer\n---\nOnly today.' } };

/** What an admin and a marketer do once: secrets, consent, a marketing trigger beside the shipped ones. */
const furnish = async (hub: Hub, { secrets, granted }: Extract<Order, { order: 'open' }>): Promise<void> => {
  const manager = new SecretsManagerClient(clientConfig(hub.runtime));
  for (const [provider, secret] of Object.entries(secrets))
    await manager.send(
      new PutSecretValueCommand({
        SecretId: `${hub.name}/channels/${provider}`,
        SecretString: JSON.stringify(secret),
      }),
    );
  await publish(publishPortsOf(hub), offer, templates);
  const key = await readApiKey(hub);
  for (const address of granted) {
    const response = await fetch(`${hub.apiUrl}/commands`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        command: 'import',
        identifiers: [`email:${address}`],
        consent: { email: 'granted' },
      }),
    });
    if (!response.ok) throw new Error(`The import of ${address} was answered with ${response.status}.`);
  }
};

let hub: Hub | undefined;

/** Messages in all queues. */
const depth = ({ cloud }: Hub): number =>
  [...cloud.created.values()].reduce((sum, { attributes }) => {
    if (attributes?.['QueueUrl'] === undefined) return sum;
    const { visible, hidden } = cloud.queue(attributes['Arn'] ?? '');
    return sum + visible + hidden;
  }, 0);

const obey = async (order: Order): Promise<Report> => {
  if (order.order === 'open') {
    const { state, publicUrl, ahead } = order;
    const log = process.env['HUB_LOG'] === undefined ? () => {} : (line: string) => console.error(line);
    hub = await openHub({ port: 0, publicUrl, state, clockOffsetMs: ahead }, log);
    if (order.granted.length > 0) await furnish(hub, order);
    return { report: 'open', url: hub.apiUrl };
  }
  if (hub === undefined) throw new Error('The hub is not open yet.');
  if (order.order === 'rest') {
    // A long run leaves more than can be worked off in one go.
    for (let before = Number.POSITIVE_INFINITY; ; ) {
      await waitUntilIdle(hub);
      const held = depth(hub);
      if (held === 0 || held >= before) break;
      before = held;
    }
    return { report: 'resting' };
  }
  const broken = await brokenInvariants(hub, order.told);
  const count = (like: string): number =>
    Number(
      hub?.cloud.db.prepare('SELECT count(*) AS count FROM dynamodb_items WHERE item LIKE ?').get(like)?.[
        'count'
      ],
    );
  const counts = {
    interactions: count('%"sk":{"S":"at#%'),
    customers: count('%"sk":{"S":"profile"}%'),
    'messages sent': hub.cloud.sentMessages.list().length,
  };
  return { report: 'checked', broken, counts };
};

process.on('message', (message) => {
  obey(Order.parse(message))
    .catch((error: unknown): Report => ({ report: 'failed', reason: String(error) }))
    .then((report) => process.send?.(report));
});
process.on('disconnect', () => process.exit());
