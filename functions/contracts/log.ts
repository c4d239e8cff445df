import { HubError } from '../../core/errors.ts';

/**
 * One line of JSON. Fields are codes, ids and counts: never an identifier, a text or a secret of anyone. Of an error that
 * is not ours only the name and the place are told, because its message may quote what it was given.
 */
export const log = (
  level: 'info' | 'warn' | 'error',
  code: string,
  fields: Readonly<Record<string, string | number | boolean | undefined>> = {},
  error?: unknown,
): void => {
  console[level](
    JSON.stringify({ level, code, ...fields, ...(error !== undefined && { error: described(error) }) }),
  );
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
