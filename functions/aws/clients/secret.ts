import * as z from 'zod';
import type { Runtime } from '../../contracts/runtime.ts';
import { signedCalls } from './signed.ts';

const FRESH_MS = 300_000;
const Answer = z.looseObject({ SecretString: z.string().default('{}') });

/** Secrets that hold JSON, by name, kept for five minutes unless told otherwise. */
export const readSecret = (
  runtime: Runtime,
  freshMs: number = FRESH_MS,
): ((name: string) => Promise<unknown>) => {
  const aws = signedCalls(runtime);
  const known = new Map<string, { readonly until: number; readonly value: unknown }>();
  return async (name) => {
    const cached = known.get(name);
    if (cached && cached.until > runtime.now()) return cached.value;
    const answer = await aws.json('secretsmanager', 'GetSecretValue', { SecretId: name });
    const value: unknown = JSON.parse(Answer.parse(answer).SecretString);
    known.set(name, { until: runtime.now() + freshMs, value });
    return value;
  };
};
