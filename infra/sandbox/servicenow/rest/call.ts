import type { SandboxAnswer } from '../../protocol/server.ts';
import { unreadable } from '../data/errors.ts';
import type { Instance } from '../data/instance.ts';
import type { Writer } from '../data/write.ts';

/** One request to a REST API, alone or as an item of a batch. */
export interface Call {
  readonly instance: Instance;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
  readonly writer: Writer;
  /** Where the instance is reached; links lead there. */
  readonly url: string;
}

/** The JSON object in the body. Of several, only the first is worked on. */
export const objectIn = ({ body }: Pick<Call, 'body'>): Readonly<Record<string, unknown>> => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body === '' ? '{}' : body);
  } catch {
    throw unreadable();
  }
  const [first] = Array.isArray(parsed) ? parsed : [parsed];
  if (typeof first !== 'object' || first === null) throw unreadable();
  return { ...first };
};

export const answerOf = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): SandboxAnswer => ({ status, headers, body });
