import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { publish } from '../../../functions/aws/triggers/publish.ts';
import { sortKeyPrefix } from '../../../functions/contracts/keys.ts';
import { waitUntilIdle } from '../../../infra/scenario/hub/idle.ts';
import { publishPortsOf } from '../../../infra/scenario/hub/in-process-hub.ts';
import { type Hub, openHub, readApiKey } from '../../../infra/scenario/hub/open-hub.ts';
import { scanTable } from '../../../infra/scenario/hub/scan-table.ts';
import { brokenInvariants } from './invariants.ts';

// The hub of `npm start` as a process of its own, which the crash run kills. Its parent sends it commands; it ends with
// its parent.

/** A command of the parent. */
export const HubCommand = z.discriminatedUnion('command', [
  z.object({
    command: z.literal('open'),
    state: z.string(),
    publicUrl: z.string(),
    clockOffsetMs: z.number(),
    /** Whether requests of the functions meet faults of AWS. */
    hasFaults: z.boolean(),
    secrets: z.record(z.string(), z.record(z.string(), z.string())),
    /** E-mail addresses whose owners have consented to marketing. */
    granted: z.array(z.string()),
  }),
  z.object({ command: z.literal('drain') }),
  z.object({
    command: z.literal('check'),
    answers: z.object({
      acknowledged: z.array(z.object({ text: z.string(), identifier: z.string() })),
      refused: z.array(z.string()),
      unanswered: z.array(z.string()),
    }),
  }),
]);
export type HubCommand = z.infer<typeof HubCommand>;

/** The answer to a command. */
export const HubReport = z.discriminatedUnion('report', [
  z.object({ report: z.literal('opened'), url: z.string() }),
  z.object({ report: z.literal('drained') }),
  z.object({
    report: z.literal('checked'),
    broken: z.array(z.string()),
    counts: z.record(z.string(), z.number()),
  }),
  z.object({ report: z.literal('failed'), reason: z.string() }),
]);
export type HubReport = z.infer<typeof HubReport>;

const offer = {
  id: 'offer',
  name: 'Offer',
  category: 'marketing',
  on: { kind: ['message'], direction: ['inbound'], channel: ['email'] },
  send: { channels: ['email'], template: 'offer' },
};
const templates = { offer: { 'email.liquid': '---\nsubject: An offer\n---\nOnly today.' } };

/** Sets up the hub once: secrets, consent, and a marketing trigger beside the shipped ones. */
const configure = async (
  hub: Hub,
  { secrets, granted }: Extract<HubCommand, { command: 'open' }>,
): Promise<void> => {
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

/** The shares of requests, messages and events of a bad day. */
const FAULTS = {
  ...{ duplicate: 0.05, reorder: true },
  ...{ conflict: 0.05, unread: 0.1, refusedEntry: 0.02, throttle: 0.03, broken: 0.02 },
};

let hub: Hub | undefined;

/** The number of messages in all queues. */
const countMessages = ({ cloud }: Hub): number =>
  [...cloud.created.values()].reduce((sum, { attributes }) => {
    if (attributes?.['QueueUrl'] === undefined) return sum;
    const { visible, hidden } = cloud.queue(attributes['Arn'] ?? '');
    return sum + visible + hidden;
  }, 0);

/** Waits until every queue is empty or holds only messages that wait for a later time. */
const drain = async (open: Hub): Promise<void> => {
  // `waitUntilIdle` gives up after some time, and a long run leaves more than that.
  for (let before = Number.POSITIVE_INFINITY; ; ) {
    await waitUntilIdle(open);
    const left = countMessages(open);
    if (left === 0 || left >= before) return;
    before = left;
  }
};

const runCommand = async (command: HubCommand): Promise<HubReport> => {
  if (command.command === 'open') {
    const { state, publicUrl, clockOffsetMs, hasFaults } = command;
    const log = process.env['HUB_LOG'] === undefined ? () => {} : (line: string) => console.error(line);
    const chaos = hasFaults ? { chaos: FAULTS } : {};
    hub = await openHub({ port: 0, publicUrl, state, clockOffsetMs, ...chaos }, log);
    if (command.granted.length > 0) await configure(hub, command);
    return { report: 'opened', url: hub.apiUrl };
  }
  if (hub === undefined) throw new Error('The hub is not open yet.');
  if (command.command === 'drain') {
    await drain(hub);
    return { report: 'drained' };
  }
  const rows = await scanTable(hub.runtime);
  return {
    report: 'checked',
    broken: await brokenInvariants(hub, command.answers),
    counts: {
      interactions: rows.filter(({ sk }) => sk.startsWith(sortKeyPrefix.interaction)).length,
      customers: rows.filter(({ sk }) => sk === 'profile').length,
      'messages sent': hub.cloud.sentMessages.list().length,
    },
  };
};

process.on('message', (message) => {
  runCommand(HubCommand.parse(message))
    .catch((error: unknown): HubReport => ({ report: 'failed', reason: String(error) }))
    .then((report) => process.send?.(report));
});
process.on('disconnect', () => process.exit());
