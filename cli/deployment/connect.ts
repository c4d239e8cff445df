import { parseArgs } from 'node:util';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { providerIds } from '../../connectors/registry.ts';
import { senderDeclarations, senderIds } from '../../connectors/senders/index.ts';
import { AccountName, HubConfig } from '../../core/config/hub-config.ts';
import { nearestWord } from '../../core/config/nearest.ts';
import { HubError } from '../../core/errors.ts';
import type { ChannelConnector } from '../../core/webhooks/channel.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { connectCrm } from '../crm/connect.ts';
import { crmConnectorOf, crmNames } from '../crm/connectors.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { askSecretValues } from './ask-secrets.ts';
import { connectSender } from './connect-sender.ts';
import { describeProvider, describeSender, providerCatalogue } from './provider-catalogue.ts';
import { stepsOf } from './provider-steps.ts';
import { readSecretValues, updateSecretValues, writeSecretValues } from './secret-values.ts';

export const usage = `Usage: hub connect --list
       hub connect CRM [--login KIND] [--secret FILE] [--create-fields] [--new-account] [--dry-run | --steps]
       hub connect PROVIDER [--account NAME] [--rotate | --drop-old | --steps]
       hub connect SENDER [--sender] [--steps]
       hub connect CRM --webhook [--rotate | --drop-old | --steps]

A CRM (salesforce, hubspot, servicenow, or one that hub.yaml gives the connector http): logs in, looks at the account and at
the fields of its mapping (crm/CRM.yaml), says what is missing, and stores the secret in Secrets Manager if the login worked. A provider: stores its secrets and prints the webhook address to
enter in its console; --webhook does so for the webhooks of a CRM. A sender of messages: asks for its credentials, has the
vendor check them by a request that sends nothing, and stores them if it accepts them; where a provider has the same name,
--sender says which is meant.

  --login KIND     how the hub logs in to the CRM; --steps lists the kinds
  --secret FILE    the credentials as a JSON object, instead of questions; - is standard input
  --create-fields  create the field that holds the hub's key on each mapped object that lacks it
  --new-account    go on in the account to which the secret leads, given or stored, instead of the one in which people are
                   linked to records; their links are kept for a return. It needs HUB_URL and HUB_KEY
  --dry-run        log in and look, but create and store nothing
  --list           list the providers and senders with their channels, secrets and documentation
  --account NAME   a second shop, page or number of the same provider, with its own route and secret; list it in hub.yaml
                   under channels.<provider>.accounts
  --rotate         keep the newest stored value beside the new one, so that both are accepted
  --drop-old       end a rotation: keep the newest value alone
  --steps          store nothing; print the steps in the provider's console

Each secret is read from the environment (HUB_SECRET_AUTH_TOKEN for authToken), else from standard input (lines
NAME=VALUE), else asked for. It is never an argument: other users of the machine can read those. ["one","two"] stores
several values.

AWS_REGION and the AWS credentials of the shell select the account, AWS_ENDPOINT_URL a hub on this machine. HUB_URL is the
public address of the hub.`;

/** `hub connect …` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      account: { type: 'string' },
      rotate: { type: 'boolean' },
      'drop-old': { type: 'boolean' },
      steps: { type: 'boolean' },
      webhook: { type: 'boolean', default: false },
      sender: { type: 'boolean', default: false },
      login: { type: 'string' },
      secret: { type: 'string' },
      'create-fields': { type: 'boolean', default: false },
      'new-account': { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
    },
  });
  if (values.list === true) {
    const all = [...providerCatalogue().map(describeProvider), ...senderDeclarations.map(describeSender)];
    console.log(all.join('\n\n'));
    return 0;
  }
  const [id, ...rest] = positionals;
  const crm = id === undefined || values.webhook ? undefined : crmConnectorOf(id);
  if (crm !== undefined && rest.length === 0)
    return connectCrm(crm, {
      ...{ login: values.login, secret: values.secret, steps: values.steps === true },
      ...{ createFields: values['create-fields'], dryRun: values['dry-run'] },
      newAccount: values['new-account'],
    });
  const entry = providerCatalogue().find(({ connector }) => connector.id === id);
  const sender = senderDeclarations.find((one) => one.id === id);
  if (sender !== undefined && rest.length === 0 && (values.sender || entry === undefined)) {
    if (values.account !== undefined || values.rotate === true || values['drop-old'] === true)
      throw badArguments('A sender has one account, and one value of each part of its secret.');
    return connectSender(sender, { steps: values.steps === true });
  }
  if (entry === undefined || rest.length > 0 || values.sender) {
    if (id === undefined) console.error(usage);
    else if (values.sender && entry !== undefined)
      console.error(`${id} sends nothing. Senders: ${senderIds.join(', ')}.`);
    else console.error(rest.length > 0 ? `Secrets are never arguments.\n\n${usage}` : unknownName(id));
    return 2;
  }
  const { account, rotate = false, 'drop-old': dropOld = false } = values;
  if (account !== undefined && !AccountName.safeParse(account).success)
    throw badArguments('--account takes a name of a-z, 0-9 and -.');
  const { connector } = entry;
  if (values.steps !== true) await storeSecrets(connector, routeOf(connector, account), { rotate, dropOld });
  printSteps(connector, account);
  return 0;
};

const unknownName = (id: string): string => {
  const crms = crmNames();
  const nearest = nearestWord(id, [...crms, ...providerIds, ...senderIds]);
  return [
    `There is no CRM, provider or sender ${JSON.stringify(id)}.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`,
    `CRMs: ${crms.join(', ')}. A CRM of another name is connected by its mapping: docs/crm/http-crm.md.`,
    'Providers and senders: hub connect --list. All options: hub connect --help.',
  ].join('\n');
};

const routeOf = ({ id }: ChannelConnector, account: string | undefined): string =>
  account === undefined ? id : `${id}/${account}`;

/** Throws `HubError` `missing-secret` where a required field has no value, before anything is stored. */
const storeSecrets = async (
  connector: ChannelConnector,
  route: string,
  { rotate, dropOld }: { readonly rotate: boolean; readonly dropOld: boolean },
): Promise<void> => {
  const hub = process.env['HUB'] ?? HubConfig.parse(readSeed().hub).name;
  const name = `${hub}/channels/${route}`;
  const client = new SecretsManagerClient({});
  const stored = await readSecretValues(client, name);
  const changes = dropOld ? {} : await askSecretValues(connector, stored);
  const updated = updateSecretValues(stored ?? {}, changes, { rotate, dropOld });
  const missing = Object.entries(connector.secrets).filter(
    ([field, { optional }]) => optional !== true && updated[field] === undefined,
  );
  if (missing.length > 0)
    throw new HubError(
      'missing-secret',
      `Nothing was stored. Give a value for ${missing.map(([field, { about }]) => `${field} (${about})`).join(', ')}.`,
      { retry: 'never' },
    );
  await writeSecretValues(client, name, updated, stored === undefined);
  const fields = Object.entries(updated).map(([field, { length }]) =>
    length > 1 ? `${field} (${length} values)` : field,
  );
  console.log(`Stored in ${name}: ${fields.join(', ')}.`);
};

/** Prints what remains to be done in the provider's console. */
const printSteps = (connector: ChannelConnector, account: string | undefined): void => {
  const route = routeOf(connector, account);
  const base = (process.env['HUB_URL'] ?? '<Url>').replace(/\/$/u, '');
  const hasAddressKey = Object.keys(connector.secrets).some((field) =>
    /^(?:address|inbound)Key$/u.test(field),
  );
  console.log(
    `The address for the provider's console: ${base}/webhooks/${route}${hasAddressKey ? ' (add ?key=… where the provider signs nothing)' : ''}`,
  );
  if (base === '<Url>')
    console.log('<Url> is the output Url of the stack. Set HUB_URL to print the whole address.');
  if (account !== undefined)
    console.log(
      `Add ${account} to channels.${connector.id}.accounts in hub.yaml and deploy; until then the address is answered 404.`,
    );
  for (const [at, step] of stepsOf(connector.id, `${base}/webhooks/${route}`).entries())
    console.log(`${at + 1}. ${step}`);
  console.log(`Documentation of the provider: ${connector.docs}`);
};
