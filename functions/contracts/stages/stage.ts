import { createHash } from 'node:crypto';
import * as z from 'zod';
import { HubError } from '../../../core/errors.ts';

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
  readonly id: string;
  readonly title: string;
  /** The message that a replay puts on the queue. Throws `HubError` `bad-payload` that names the key. */
  replay(payload: string, count: number): string;
  known(payload: string): Known;
}

interface Known {
  readonly id: string;
  readonly about: Readonly<Record<string, string>>;
}

export const stage = <Message>(
  id: string,
  { title, schema, identity, about, again }: Stage<Message>,
): SealedStage => ({
  id,
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
