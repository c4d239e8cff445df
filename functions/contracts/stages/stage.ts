import * as z from 'zod';
import { HubError } from '../../../core/errors.ts';
import { tolerant } from '../../../core/formats/tolerant.ts';
import { sha256Hex } from '../../../core/webhooks/signature.ts';

type Ids = Readonly<Record<string, string | number | undefined>>;

/** How the messages of a queue are validated, identified, described and replayed. */
interface StageDefinition<Message> {
  readonly title: string;
  /** Of the queue's messages. */
  readonly schema: z.ZodType<Message>;
  /** What makes two messages the same piece of work, whatever else they say. */
  readonly identity: (message: Message) => readonly unknown[];
  /** The ids that say what a failed message is about. Never a text or an identifier. */
  readonly about: (message: Message) => Readonly<Record<string, string | undefined>>;
  /** For the trace, where the queue carries several types of messages; the stage's id otherwise. */
  readonly type?: (message: Message) => string;
  /** More ids for the trace. Never a text or an identifier. */
  readonly ids?: (message: Message) => Ids;
  /** Changes the message for a replay, if its stage must recognise one. `count`: the number of failures so far. */
  readonly toReplay?: (message: Message, count: number) => Message;
}

/** A stage whose type of message is hidden: it takes the bodies of messages. */
export interface SealedStage {
  readonly id: string;
  readonly title: string;
  /** Of the queue's messages. */
  readonly schema: z.ZodType;
  /** Validates a payload that a person has written. Throws `HubError` `invalid-payload` that names the key. */
  expectValid(payload: string): void;
  /** The message that a replay puts on the queue. Throws `HubError` `invalid-payload` that names the key. */
  replay(payload: string, count: number): string;
  /** What a failure says of the message. */
  known(payload: string): Known;
}

/** The stage of one queue. */
export interface Stage<Message> extends SealedStage {
  readonly schema: z.ZodType<Message>;
  /** What a trace says of a message. */
  hop(message: Message): { readonly type: string; readonly ids: Ids };
}

interface Known {
  readonly id: string;
  readonly about: Readonly<Record<string, string>>;
}

export const stage = <Message>(
  id: string,
  { title, schema: written, identity, about, type, ids, toReplay }: StageDefinition<Message>,
): Stage<Message> => ({
  id,
  title,
  schema: tolerant(written),
  hop: (message) => ({ type: type?.(message) ?? id, ids: { ...about(message), ...ids?.(message) } }),
  expectValid: (payload) => void parsed(id, written, payload),
  replay(payload, count) {
    const message = parsed(id, tolerant(written), payload);
    return toReplay ? JSON.stringify(toReplay(message, count)) : payload;
  },
  known(payload) {
    const read = tolerant(written).safeParse(json(payload));
    if (!read.success) return { id: idOf([id, payload]), about: {} };
    const named = Object.entries(about(read.data)).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    return { id: idOf([id, ...identity(read.data)]), about: Object.fromEntries(named) };
  },
});

const parsed = <Message>(id: string, schema: z.ZodType<Message>, payload: string): Message => {
  const read = schema.safeParse(json(payload));
  if (read.success) return read.data;
  throw new HubError(
    'invalid-payload',
    `The payload is not what the stage ${id} expects:\n${z.prettifyError(read.error)}`,
    { retry: 'never' },
  );
};

const idOf = (parts: readonly unknown[]): string => sha256Hex(JSON.stringify(parts)).slice(0, 20);

/** Undefined where it is not JSON, which no schema accepts. */
const json = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
