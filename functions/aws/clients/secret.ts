import * as z from 'zod';
import type { Runtime } from '../../contracts/runtime.ts';
import { type Cache, cache } from './cache.ts';
import { signedCalls } from './signed.ts';

const FRESH_MS = 300_000;
const MOST_SECRETS = 100;
const Answer = z.looseObject({ SecretString: z.string().default('{}') });

/**
 * A reader of secrets that hold JSON, by their names in Secrets Manager. A value is used for `freshMs`, five minutes by
 * default. Rejects with `AwsRefusal`, `ResourceNotFoundException` among them, and with `SyntaxError` where it is no JSON.
 */
export const readSecret = (runtime: Runtime, freshMs?: number): ((name: string) => Promise<unknown>) =>
  secretCache(runtime, freshMs).get;

/** The same, with a way to load a secret at once. */
export const secretCache = (runtime: Runtime, freshMs: number = FRESH_MS): Cache<unknown> => {
  const aws = signedCalls(runtime);
  const load = async (name: string): Promise<unknown> => {
    const answer = await aws.json('secretsmanager', 'GetSecretValue', { SecretId: name });
    return JSON.parse(Answer.parse(answer).SecretString);
  };
  return cache(load, { ttlMs: freshMs, most: MOST_SECRETS, now: runtime.now });
};
