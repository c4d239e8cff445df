import { readFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { HubConfig } from '../../core/config/hub-config.ts';
import type { CrmConnector, CrmLogin } from '../../core/crm/connector.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { environmentVariable } from '../deployment/ask-secrets.ts';
import { ask, askHidden } from '../terminal/ask.ts';
import { badArguments } from '../terminal/bad-arguments.ts';

/** The credentials of a CRM as the hub stores them: one text by name. */
const CrmSecret = z.record(z.string(), z.string());
export type CrmSecret = z.infer<typeof CrmSecret>;

/** The name of the secret of a CRM. */
export const crmSecretName = (crm: string): string =>
  `${process.env['HUB'] ?? HubConfig.parse(readSeed().hub).name}/crm/${crm}`;

/** Undefined where there is no such secret, or an empty one. */
export const readCrmSecret = async (
  client: SecretsManagerClient,
  name: string,
): Promise<CrmSecret | undefined> => {
  try {
    const { SecretString = '{}' } = await client.send(new GetSecretValueCommand({ SecretId: name }));
    const secret = secretIn(SecretString, `The secret ${name}`);
    return Object.keys(secret).length === 0 ? undefined : secret;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
};

/** Stores credentials, in a new secret where there is none. */
export const writeCrmSecret = async (
  client: SecretsManagerClient,
  name: string,
  secret: CrmSecret,
): Promise<void> => {
  const SecretString = JSON.stringify(secret);
  try {
    await client.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    await client.send(new CreateSecretCommand({ Name: name, SecretString }));
  }
};

/** Throws `HubError` `invalid-arguments`; the text itself is never in the message. */
const secretIn = (text: string, what: string): CrmSecret => {
  try {
    return CrmSecret.parse(JSON.parse(text));
  } catch {
    throw badArguments(`${what} is not a JSON object of texts, such as {"accessToken":"…"}.`);
  }
};

/** The credentials in a file, of `-` those on standard input. */
const readSecretFile = async (file: string): Promise<CrmSecret> => {
  if (file === '-') return secretIn(await readAll(process.stdin), 'Standard input');
  try {
    return secretIn(readFileSync(file, 'utf8'), `The file ${file}`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw badArguments(`There is no file ${file}.`);
    throw error;
  }
};

/** The parts of the secret that are in the environment, such as HUB_SECRET_ACCESS_TOKEN; undefined where none is. */
const environmentSecret = ({ logins }: CrmConnector): CrmSecret | undefined => {
  const parts = [...new Set(logins.flatMap(({ secrets }) => Object.keys(secrets)))];
  const found = parts.flatMap((part) => {
    const value = process.env[environmentVariable(part)] ?? '';
    return value === '' ? [] : [[part, value] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
};

/** Credentials that a command was given: by a file, else by the environment; undefined where by neither. */
export const givenSecret = async (
  connector: CrmConnector,
  file: string | undefined,
): Promise<CrmSecret | undefined> =>
  file === undefined ? environmentSecret(connector) : readSecretFile(file);

/** Asks on the terminal for a way to log in, prints its steps, and asks for its parts. */
export const askCrmSecret = async (
  connector: CrmConnector,
  login: CrmLogin | undefined,
): Promise<CrmSecret> => {
  const chosen = login ?? (await askLogin(connector));
  for (const line of loginSteps(chosen)) console.log(line);
  console.log('');
  const parts = Object.entries(chosen.secrets);
  const answers = await askHidden(
    parts.map(([part, { about, optional, lines }]) => {
      const how = lines === true ? 'the file with ' : '';
      return `${part}: ${how}${about}${optional === true ? ' (may be empty)' : ''}: `;
    }),
  );
  return Object.fromEntries(
    parts.flatMap(([part, { lines }], position) => {
      const answer = answers[position] ?? '';
      return answer === '' ? [] : [[part, lines === true ? readFileSync(answer, 'utf8') : answer]];
    }),
  );
};

const askLogin = async ({ title, logins }: CrmConnector): Promise<CrmLogin> => {
  const [only] = logins;
  if (only === undefined) throw new TypeError(`${title} has no login`);
  if (logins.length === 1) return only;
  console.log(`How does the hub log in to ${title}?`);
  for (const [position, one] of logins.entries()) console.log(`  ${position + 1}  ${one.id}: ${one.title}`);
  for (;;) {
    const answer = await ask(`1 to ${logins.length} (1): `);
    const chosen = logins[Number(answer === '' ? 1 : answer) - 1] ?? logins.find(({ id }) => id === answer);
    if (chosen !== undefined) return chosen;
  }
};

/** What an admin does in the CRM for a login, and what the command then asks for. */
export const loginSteps = ({ id, title, secrets, steps }: CrmLogin): string[] => [
  `${id}: ${title}`,
  ...steps.map((step, position) => `  ${position + 1}. ${step}`),
  `  Parts of the secret: ${Object.entries(secrets)
    .map(([part, { optional }]) => (optional === true ? `${part}?` : part))
    .join(', ')}`,
];
