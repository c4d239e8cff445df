import { createHash } from 'node:crypto';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { DecisionMessage, NotificationMessage } from '../../core/notification.ts';
import { JobMessage } from '../jobs/message.ts';
import { MetricsMessage } from '../metrics/message.ts';
import { ImportMessage, RecordMessage } from '../record/message.ts';
import { CrmMessage } from '../sync/message.ts';

/** One function that works off a queue, as far as its failures are concerned. */
interface Stage<Message> {
  readonly title: string;
  /** What its queue carries. */
  readonly schema: z.ZodType<Message>;
  /** What makes two messages the same piece of work, whatever else they say. */
  readonly identity: (message: Message) => readonly unknown[];
  /** The ids that tell a person what a message is about. Never a text or an identifier. */
  readonly about: (message: Message) => Readonly<Record<string, string | undefined>>;
  /** The message that a replay puts on the queue, where it must say that it is one; `count`: how often it has failed. */
  readonly again?: (message: Message, count: number) => Message;
}

/** A stage with its message type sealed: a body goes in, what is known of it comes out. */
export interface SealedStage {
  readonly title: string;
  /** The message that a replay puts on the queue. Throws `HubError` `bad-payload` that names the key. */
  replay(payload: string, count: number): string;
  known(payload: string): Known;
}

interface Known {
  readonly id: string;
  readonly about: Readonly<Record<string, string>>;
}

const stage = <Message>(
  id: string,
  { title, schema, identity, about, again }: Stage<Message>,
): SealedStage => ({
  title,
  replay(payload, count) {
    const read = schema.safeParse(json(payload));
    if (read.success) return again ? JSON.stringify(again(read.data, count)) : payload;
    throw new HubError(
      'bad-payload',
      `The payload is not what the stage ${id} expects:\n${z.prettifyError(read.error)}`,
      { retry: 'never' },
    );
  },
  known(payload) {
    const read = schema.safeParse(json(payload));
    if (!read.success) return { id: idOf([id, payload]), about: {} };
    const told = Object.entries(about(read.data)).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    return { id: idOf([id, ...identity(read.data)]), about: Object.fromEntries(told) };
  },
});

const idOf = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20);

/** Undefined where it is not JSON, which no schema takes. */
const json = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const sync = (crm: string, title: string): SealedStage =>
  stage(`sync-${crm}`, {
    title,
    schema: CrmMessage,
    identity: (message) =>
      'erasure' in message ? [message.erasure, message.part] : [message.half, message.interaction ?? null],
    about: (message) =>
      'erasure' in message
        ? { erasure: message.erasure }
        : { half: message.half, interaction: message.interaction },
  });

/** Every stage whose failures are kept. A new queue that feeds a function needs its line here; a test says so. */
export const stages: Readonly<Record<string, SealedStage>> = {
  record: stage('record', {
    title: 'Deliveries, interactions and commands on their way to the customer record',
    schema: RecordMessage,
    // Content that did not come is asked for again as often as the first time.
    again: (message) =>
      message.type === 'content' || message.type === 'file' ? { ...message, tries: 0 } : message,
    identity: (message) => {
      switch (message.type) {
        case 'content':
        case 'interaction': {
          const { provider, account, key } = message.interaction;
          return [...(message.type === 'content' ? ['content'] : []), provider, account ?? null, key];
        }
        case 'file':
          return ['file', message.key];
        case 'event':
          return ['event', message.provider, message.event.id];
        case 'import':
          return [message.job, message.line];
        default:
          return [message.type, message.id];
      }
    },
    about: (message) => {
      if (message.type === 'import') return { job: message.job };
      if (message.type === 'command') return { command: message.command };
      if (message.type === 'interaction' || message.type === 'content')
        return { provider: message.interaction.provider };
      return { provider: message.provider, account: message.account };
    },
  }),
  import: stage('import', {
    title: 'Rows of imported files on their way to the customer record',
    schema: ImportMessage,
    identity: ({ job, line }) => [job, line],
    about: ({ job }) => ({ job }),
  }),
  decide: stage('decide', {
    title: 'Events that a trigger matched, and the ends of waits',
    schema: DecisionMessage,
    identity: ({ half, trigger, version, interaction, timer }) => [
      ...[half, trigger, version, interaction, timer ?? null],
    ],
    about: ({ half, trigger, interaction }) => ({ half, trigger, interaction }),
  }),
  notify: stage('notify', {
    title: 'Notifications that were decided',
    again: (message, count) => ({ ...message, again: count }),
    schema: NotificationMessage,
    identity: ({ half, trigger, interaction }) => [half, trigger, interaction],
    about: ({ half, trigger, interaction }) => ({ half, trigger, interaction }),
  }),
  'sync-salesforce': sync('salesforce', 'Customers and interactions on their way into Salesforce'),
  'sync-hubspot': sync('hubspot', 'Customers and interactions on their way into HubSpot'),
  metrics: stage('metrics', {
    title: 'What figures, lists and the status of messages are made of',
    schema: MetricsMessage,
    identity: ({ event, half, ...rest }) => [event, half, ...Object.values(rest)],
    about: ({ half, ...rest }) => ({
      half,
      interaction: 'interaction' in rest ? rest.interaction : undefined,
    }),
  }),
  jobs: stage('jobs', {
    title: 'Slices of long jobs',
    schema: JobMessage,
    identity: ({ job, slice }) => [job, slice],
    about: ({ job }) => ({ job }),
  }),
};

export const stageOf = (id: string): SealedStage => {
  const found = stages[id];
  if (found) return found;
  throw new HubError(
    'unknown-stage',
    `There is no stage ${id}. There are: ${Object.keys(stages).join(', ')}.`,
    {
      retry: 'never',
    },
  );
};
