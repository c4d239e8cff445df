import { AsyncLocalStorage } from 'node:async_hooks';
import { HubError, type LogCode } from '../../core/errors.ts';

/** What every log line of one invocation says besides its own fields. */
export interface LogContext {
  /** The function, as the stack names it: `record`, `sync-salesforce`. */
  readonly function: string;
  /** The request id that AWS gave to the invocation. */
  readonly request: string;
  /** Whether it is the first invocation of this copy of the function. */
  readonly coldStart: boolean;
  /** The ids of the queue messages at work. */
  readonly messages?: readonly string[];
}

const contexts = new AsyncLocalStorage<LogContext>();

/** Adds a context to every log line of the current invocation from here on. */
export const enterLogContext = (context: LogContext): void => contexts.enterWith(context);

/** Runs work of one queue message: its log lines name that message alone. */
export const withMessage = <Result>(message: string, work: () => Result): Result => {
  const context = contexts.getStore();
  return context === undefined ? work() : contexts.run({ ...context, messages: [message] }, work);
};

/**
 * Writes one line of JSON. Fields are codes, ids and counts: never an identifier, a text or a secret. Of an error that is
 * not a `HubError` only name and stack are logged, because its message may quote what it was given.
 */
export const log = (
  level: 'info' | 'warn' | 'error',
  code: LogCode,
  fields: Readonly<Record<string, string | number | boolean | undefined>> = {},
  error?: unknown,
): void => {
  console[level](
    JSON.stringify({
      ...{ level, code, ...fields, ...contexts.getStore() },
      ...(error !== undefined && { error: described(error) }),
    }),
  );
};

/** Whether `HUB_TRACE=1` asks for one line per hop of each message. */
export const isTracing = (): boolean => process.env['HUB_TRACE'] === '1';

/** Writes one line of text per hop: the function, the type of the message, its ids. */
export const trace = (
  name: string,
  type: string,
  ids: Readonly<Record<string, string | number | undefined>>,
): void => {
  const known = Object.entries(ids).flatMap(([key, id]) => (id === undefined ? [] : [`${key}=${id}`]));
  console.log(['hop', name, type, ...known].join(' '));
};

const described = (error: unknown): object => {
  if (error instanceof HubError) {
    const cause = error.cause === undefined ? {} : { cause: described(error.cause) };
    return { code: error.code, message: error.message, ...cause };
  }
  if (!(error instanceof Error)) return { name: typeof error };
  const frames = error.stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? [];
  return { name: error.name, stack: frames.slice(0, 8).map((line) => line.trim()) };
};
