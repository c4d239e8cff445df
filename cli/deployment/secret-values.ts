import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';

/** The values of each field of a secret, newest first. */
export const SecretValues = z.record(
  z.string(),
  z.union([z.string().transform((one) => [one]), z.array(z.string())]),
);
export type SecretValues = z.output<typeof SecretValues>;

/**
 * The stored values with the new ones in their place; a field without a new value keeps its own. `rotate` keeps the newest
 * old value beside the new one, `dropOld` keeps the newest value alone. An empty text counts as no value.
 */
export const updateSecretValues = (
  stored: SecretValues,
  changes: Readonly<Record<string, readonly string[]>>,
  { rotate = false, dropOld = false }: { readonly rotate?: boolean; readonly dropOld?: boolean },
): SecretValues => {
  const next = new Map(Object.entries(stored));
  for (const [field, values] of Object.entries(changes)) {
    const old = rotate ? (next.get(field)?.slice(0, 1) ?? []) : [];
    const all = [...new Set([...values, ...old])].filter((one) => one !== '');
    if (all.length > 0) next.set(field, all);
  }
  return Object.fromEntries(
    [...next].map(([field, values]) => [field, dropOld ? values.slice(0, 1) : values]),
  );
};

/** Undefined where there is no such secret. */
export const readSecretValues = async (
  client: SecretsManagerClient,
  name: string,
): Promise<SecretValues | undefined> => {
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: name }));
    return SecretValues.parse(JSON.parse(SecretString ?? '{}'));
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
};

export const writeSecretValues = async (
  client: SecretsManagerClient,
  name: string,
  values: SecretValues,
  isNew: boolean,
): Promise<void> => {
  const SecretString = JSON.stringify(values);
  if (isNew) await client.send(new CreateSecretCommand({ Name: name, SecretString }));
  else await client.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
};
