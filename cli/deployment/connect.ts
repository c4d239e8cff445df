import { text as readAll } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import type { ChannelConnector } from '../../core/webhooks/channel.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { catalogue, describeEntry } from '../../tests/tools/generate/catalogue.ts';
import { askHidden } from '../terminal/ask.ts';

const usage = `hub connect --list
hub connect PROVIDER [--account NAME] [--rotate | --drop-old | --steps]

Stores a provider's secrets in Secrets Manager and says which address to paste into its console. Each secret is taken from
the environment (HUB_SECRET_AUTH_TOKEN for authToken), else from standard input (lines NAME=VALUE), else asked for; never
from the command line, which other people of the machine can read. A value like ["one","two"] stores several.
--rotate keeps the value stored until now as a second one, --drop-old ends that, --steps stores nothing and only says what to
do: what comes over EventBridge needs no secret. --account is another shop, page or number
of the same provider, with a route and a secret of its own. AWS credentials and region are those of the shell;
AWS_ENDPOINT_URL leads to a local hub, HUB_URL is the hub's address.`;

/** The values of each secret, newest first. */
export const Stored = z.record(
  z.string(),
  z.union([z.string().transform((one) => [one]), z.array(z.string())]),
);
export type Stored = z.output<typeof Stored>;

/** What is stored once the given values have come; those not given stay. An empty text is no value. */
export const merged = (
  stored: Stored,
  given: Readonly<Record<string, readonly string[]>>,
  how: { readonly rotate?: boolean; readonly dropOld?: boolean },
): Stored => {
  const next = new Map(Object.entries(stored));
  for (const [name, values] of Object.entries(given)) {
    const old = how.rotate === true ? (next.get(name)?.slice(0, 1) ?? []) : [];
    const kept = [...new Set([...values, ...old])].filter((one) => one !== '');
    if (kept.length > 0) next.set(name, kept);
  }
  return Object.fromEntries(
    [...next].map(([name, values]) => [name, how.dropOld === true ? values.slice(0, 1) : values]),
  );
};

/** `hub connect …` */
export const connectCommand = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      account: { type: 'string' },
      rotate: { type: 'boolean' },
      'drop-old': { type: 'boolean' },
      steps: { type: 'boolean' },
    },
  });
  if (values.list === true) {
    console.log(catalogue().map(describeEntry).join('\n\n'));
    return 0;
  }
  const [id, ...rest] = positionals;
  const entry = catalogue().find(({ connector }) => connector.id === id);
  if (entry === undefined || rest.length > 0) {
    console.error(
      id === undefined
        ? usage
        : `${rest.length > 0 ? 'Secrets are never arguments.' : `There is no provider ${JSON.stringify(id)}.`}\n\n${usage}`,
    );
    return 2;
  }
  const { account, rotate = false, 'drop-old': dropOld = false } = values;
  if (account !== undefined && !/^[a-z0-9][a-z0-9-]{0,62}$/u.test(account))
    throw new HubError('bad-account', 'An account is named with a-z, 0-9 and -.', { retry: 'never' });
  const { connector } = entry;
  const hub = process.env['HUB'] ?? HubConfig.parse(readSeed().hub).name;
  const route = account === undefined ? connector.id : `${connector.id}/${account}`;
  if (values.steps === true) return tellSteps(connector, route);
  const name = `${hub}/channels/${route}`;
  const client = new SecretsManagerClient({});
  const before = await read(client, name);
  const given = dropOld ? {} : await valuesOf(connector, before);
  const after = merged(before ?? {}, given, { rotate, dropOld });
  const missing = Object.entries(connector.secrets).filter(
    ([secret, { optional }]) => optional !== true && after[secret] === undefined,
  );
  if (missing.length > 0)
    throw new HubError(
      'secret-missing',
      `Nothing was stored: ${missing.map(([secret, { about }]) => `${secret} (${about})`).join(', ')} must have a value.`,
      { retry: 'never' },
    );
  await write(client, name, after, before === undefined);
  const stored = Object.entries(after).map(([secret, { length }]) =>
    length > 1 ? `${secret} (${length} values)` : secret,
  );
  console.log(`Stored in ${name}: ${stored.join(', ')}.`);
  return tellSteps(connector, route);
};

/** What is left to do on the provider's side. */
const tellSteps = (connector: ChannelConnector, route: string): number => {
  const base = (process.env['HUB_URL'] ?? '<Url>').replace(/\/$/u, '');
  const keyed = Object.keys(connector.secrets).some((secret) => /^(?:address|inbound)Key$/u.test(secret));
  console.log(
    `Paste into the provider's console: ${base}/webhooks/${route}${keyed ? ' (with ?key=… behind it where nothing is signed)' : ''}`,
  );
  if (base === '<Url>') console.log("<Url> is the stack's output Url; set HUB_URL to have it filled in.");
  if (connector.setup !== undefined) console.log(connector.setup);
  console.log(`The vendor's page: ${connector.docs}`);
  return 0;
};

const variable = (secret: string): string =>
  `HUB_SECRET_${secret.replace(/([a-z0-9])([A-Z])/gu, '$1_$2').toUpperCase()}`;

const List = z.array(z.string());

const listOf = (value: string): readonly string[] => {
  if (!value.startsWith('[')) return [value];
  try {
    return List.parse(JSON.parse(value));
  } catch {
    return [value];
  }
};

/** From the environment, else from standard input, else from the person before the screen. */
const valuesOf = async (
  { secrets }: ChannelConnector,
  stored: Stored | undefined,
): Promise<Readonly<Record<string, readonly string[]>>> => {
  const given = new Map<string, readonly string[]>();
  for (const secret of Object.keys(secrets)) {
    const value = process.env[variable(secret)];
    if (value !== undefined && value !== '') given.set(secret, listOf(value));
  }
  if (given.size > 0) return Object.fromEntries(given);
  if (!process.stdin.isTTY) {
    for (const line of (await readAll(process.stdin)).split(/\r?\n/u)) {
      const at = line.indexOf('=');
      const secret = line.slice(0, at).trim();
      if (at > 0 && Object.hasOwn(secrets, secret)) given.set(secret, listOf(line.slice(at + 1).trim()));
    }
    return Object.fromEntries(given);
  }
  const asked = Object.entries(secrets);
  const answers = await askHidden(
    asked.map(([secret, { about, optional }]) => {
      const free = optional === true || stored?.[secret] !== undefined;
      return `${secret}: ${about}${free ? ' (empty: as it is)' : ''}: `;
    }),
  );
  for (const [position, [secret]] of asked.entries()) {
    const value = answers[position] ?? '';
    if (value !== '') given.set(secret, listOf(value));
  }
  return Object.fromEntries(given);
};

const read = async (client: SecretsManagerClient, name: string): Promise<Stored | undefined> => {
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: name }));
    return Stored.parse(JSON.parse(SecretString ?? '{}'));
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
};

const write = async (
  client: SecretsManagerClient,
  name: string,
  stored: Stored,
  isNew: boolean,
): Promise<void> => {
  const SecretString = JSON.stringify(stored);
  if (isNew) await client.send(new CreateSecretCommand({ Name: name, SecretString }));
  else await client.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
};
