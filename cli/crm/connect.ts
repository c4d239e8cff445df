import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { HubConfig } from '../../core/config/hub-config.ts';
import { importedFields, importOf } from '../../core/crm/check/examination.ts';
import { type CrmConnector, type CrmLogin, IMPORT_SET } from '../../core/crm/connector.ts';
import { CrmFault } from '../../core/crm/fault.ts';
import { configFileName, readSeed } from '../../infra/stack/seed.ts';
import { probeConnection } from '../client/connections.ts';
import { hubOfEnvironment } from '../client/environment.ts';
import type { HubConnection } from '../client/request.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import {
  accountLines,
  type CrmAccount,
  lookAt,
  type MappingFile,
  mappingLines,
  mappingSummary,
  openAccount,
  readMapping,
  withoutKeyField,
} from './account.ts';
import {
  askCrmSecret,
  crmSecretName,
  givenSecret,
  loginSteps,
  readCrmSecret,
  writeCrmSecret,
} from './secret.ts';

export interface ConnectOptions {
  /** The id of a way to log in. */
  readonly login?: string | undefined;
  /** A file with the credentials as JSON. */
  readonly secret?: string | undefined;
  readonly createFields: boolean;
  /** Stores nothing. */
  readonly dryRun: boolean;
  /** Prints the steps in the CRM, and does nothing. */
  readonly steps: boolean;
  /** The hub goes on in the account to which the secret leads: the one that is given, or the one that is stored. */
  readonly newAccount: boolean;
}

/** Connects a CRM: logs in, looks at the account, stores the secret. Resolves to the exit code. */
export const connectCrm = async (connector: CrmConnector, options: ConnectOptions): Promise<number> => {
  const login = loginNamed(connector, options.login);
  if (options.steps) {
    printSteps(connector, login);
    return 0;
  }
  const file = readMapping(connector.id);
  const given = await givenSecret(connector, options.secret);
  if (given === undefined && options.newAccount) return useStored(connector, file, options);
  if (given === undefined && !process.stdin.isTTY)
    throw badArguments(
      `Give the secret of ${connector.title} with --secret FILE, or part by part in the environment; --steps says how to get it.`,
    );
  const secret = given ?? (await askCrmSecret(connector, login));
  const hub = options.newAccount && !options.dryRun ? hubOfEnvironment() : undefined;
  const { isFine, account } = await examined(connector, secret, file, options);
  if (options.dryRun) {
    console.log('\nNothing was stored (--dry-run).');
    return isFine ? 0 : 1;
  }
  const name = crmSecretName(connector.id);
  await stored(() => writeCrmSecret(new SecretsManagerClient({}), name, secret));
  console.log(`\nStored in ${name}: ${Object.keys(secret).join(', ')}. The hub uses it within a minute.`);
  if (hub !== undefined) await goOnIn(hub, connector, account);
  for (const line of nextSteps(connector, isFine)) console.log(line);
  return isFine ? 0 : 1;
};

/** The stored secret has changed already, and the hub has stopped because it leads to another account. */
const useStored = async (
  connector: CrmConnector,
  file: MappingFile,
  options: ConnectOptions,
): Promise<number> => {
  const hub = hubOfEnvironment();
  const name = crmSecretName(connector.id);
  const secret = await readCrmSecret(new SecretsManagerClient({}), name);
  if (secret === undefined)
    throw badArguments(`There is no secret ${name} yet. Give one with --secret FILE.`);
  const { isFine, account } = await examined(connector, secret, file, options);
  if (!options.dryRun) await goOnIn(hub, connector, account);
  return isFine ? 0 : 1;
};

const goOnIn = async (
  hub: HubConnection,
  { id, title }: CrmConnector,
  account: string | undefined,
): Promise<void> => {
  if (account === undefined)
    throw badArguments(`${title} does not say which account it is, so the hub cannot tell accounts apart.`);
  await probeConnection(hub, id, account);
  console.log(
    `\nThe hub goes on in the account ${account} of ${title}; \`hub connections\` shows it in some seconds. Nobody is linked there until they are found:\n  hub sync ${id} --adopt     adopts the people whom ${title} has already\n  hub sync ${id} --backfill  writes everybody, with what they did before`,
  );
};

const loginNamed = ({ logins }: CrmConnector, id: string | undefined): CrmLogin | undefined => {
  const login = logins.find((one) => one.id === id);
  if (id !== undefined && login === undefined)
    throw badArguments(`--login takes ${logins.map((one) => one.id).join(', ')}.`);
  return login;
};

const printSteps = ({ title, logins, docs, id }: CrmConnector, login: CrmLogin | undefined): void => {
  console.log(`The hub logs in to ${title} in one of these ways:`);
  for (const one of login === undefined ? logins : [login]) console.log(`\n${loginSteps(one).join('\n')}`);
  console.log(
    `\nThe whole page: ${docs.startsWith('docs/') ? docs : `docs/crm/connect-${id}.md. Documentation of ${title}: ${docs}`}`,
  );
};

/**
 * Logs in, creates key fields if that was asked for, and prints what was found. Resolves to whether all is well, and in which
 * account that is.
 */
const examined = async (
  connector: CrmConnector,
  secret: Readonly<Record<string, string>>,
  file: MappingFile,
  { createFields: isAsked, dryRun }: Pick<ConnectOptions, 'createFields' | 'dryRun'>,
): Promise<{ readonly isFine: boolean; readonly account: string | undefined }> => {
  const mayCreate = isAsked && !dryRun;
  let account = await stored(() => openAccount(connector, secret));
  let found = await stored(() => lookAt(connector, account, file));
  console.log(`✓ ${'login'.padEnd(12)} ${connector.title} accepts the credentials.`);
  const missing = withoutKeyField(file, found);
  const isImportMissing = found.account.some(({ about, ok }) => about === IMPORT_SET && !ok);
  if ((missing.length > 0 || isImportMissing) && mayCreate) {
    await createFields(account, missing);
    if (isImportMissing) await createImportSet(account, file);
    account = await openAccount(connector, secret);
    found = await lookAt(connector, account, file);
  }
  for (const line of accountLines(found.account)) console.log(line);
  for (const line of mappingLines(file, found.mapping)) console.log(line);
  console.log(mappingSummary(file, found.mapping, found.described));
  const creatable = [
    ...missing.map(({ object, key }) => `${object}.${key}`),
    ...(isImportMissing ? [`the import set ${file.mapping.contact.importSet}`] : []),
  ];
  if (creatable.length > 0 && !mayCreate)
    console.log(`  hub connect ${connector.id} --create-fields creates ${creatable.join(', ')}.`);
  return {
    isFine: [...found.account, ...found.mapping].every(({ ok }) => ok),
    account: await account.session.account(account.call),
  };
};

/** A field that cannot be created is reported; the others are created all the same. */
const createFields = async (
  { session, call }: CrmAccount,
  missing: readonly { readonly object: string; readonly key: string }[],
): Promise<void> => {
  for (const { object, key } of missing)
    await created(`${object}.${key}`, async () => {
      if (session.createKeyField === undefined) throw badArguments('Its API cannot create fields.');
      await session.createKeyField(object, key, call);
    });
};

const createImportSet = async (
  { session: { imports }, call }: CrmAccount,
  { mapping: { contact } }: MappingFile,
): Promise<void> => {
  const by = importOf(contact);
  if (by === undefined || imports === undefined) return;
  await created(`the import set ${by.table}`, () => imports.create(by, importedFields(contact), call));
};

const created = async (what: string, create: () => Promise<void>): Promise<void> => {
  try {
    await create();
    console.log(`✓ ${'created'.padEnd(12)} ${what}`);
  } catch (error) {
    if (!(error instanceof CrmFault)) throw error;
    console.log(`✗ ${'created'.padEnd(12)} ${what}: ${error.message}`);
  }
};

/** Before an error is printed, says that nothing was stored. */
const stored = async <Value>(work: () => Promise<Value>): Promise<Value> => {
  try {
    return await work();
  } catch (error) {
    console.error('✗ The secret was not stored.');
    throw error;
  }
};

const nextSteps = ({ id, title, changes }: CrmConnector, isFine: boolean): string[] => {
  const isOn = Object.hasOwn(HubConfig.parse(readSeed().hub).crms, id);
  const next: readonly (readonly [command: string, what: string])[] = [
    ...(isFine ? [] : [[`hub mapping check ${id}`, 'again, until it finds no fault'] as const]),
    ...(isOn ? [] : [[`add ${id} to crms in ${configFileName('hub.yaml')}`, 'and deploy'] as const]),
    [`hub sync ${id} --adopt --dry-run`, `whom the hub would find in ${title}, and what it would write`],
    ...(changes === 'asked'
      ? []
      : [[`hub connect ${id} --webhook`, `what people change in ${title}, on its way to the hub`] as const]),
    ['hub doctor', 'whether all is well'],
  ];
  const width = Math.max(...next.map(([command]) => command.length));
  return ['\nNext:', ...next.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`)];
};
