import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Runtime } from '../runtime.ts';
import { clientConfig } from './client.ts';

const FRESH_MS = 300_000;

/** Secrets that hold JSON, by name, kept for five minutes. */
export const readSecret = (runtime: Runtime): ((name: string) => Promise<unknown>) => {
  const client = new SecretsManagerClient(clientConfig(runtime));
  const known = new Map<string, { readonly until: number; readonly value: unknown }>();
  return async (name) => {
    const cached = known.get(name);
    if (cached && cached.until > runtime.now()) return cached.value;
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: name }));
    const value: unknown = JSON.parse(SecretString ?? '{}');
    known.set(name, { until: runtime.now() + FRESH_MS, value });
    return value;
  };
};
