import { parseArgs } from 'node:util';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CrmConnector } from '../../core/crm/connector.ts';
import { hubOfEnvironment } from '../client/environment.ts';
import { CONNECTION_HELP } from '../command.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { lookAt, mappingLines, mappingSummary, openAccount, readMapping } from './account.ts';
import { crmNamed } from './connectors.ts';
import { printPreview } from './preview.ts';
import { type CrmSecret, crmSecretName, givenSecret, readCrmSecret } from './secret.ts';

export const usage = `Usage: hub mapping check CRM [--secret FILE]
       hub mapping try CRM CUSTOMER [--json]

  check   compares mappings/crm/CRM.yaml with what the CRM says of its objects: fields, types, lengths, choices, required
          fields, keys and links. ✗ is a fault that the CRM would refuse, ! a remark. The exit code is 1 where there is a
          fault. It logs in with --secret FILE (JSON), else with HUB_SECRET_… of the environment, else with the stored secret
          of the hub (AWS_REGION and AWS credentials select the account).
  try     shows what the hub would write to the CRM for a customer now, field by field, and where both sides stand; it
          writes nothing and does not call the CRM. CUSTOMER is an id or an identifier such as email:ada@example.com.

${CONNECTION_HELP}`;

/** `hub mapping …` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { secret: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  const [verb, crm, customer, ...rest] = positionals;
  if (verb === 'check' && customer === undefined) return check(crmNamed(crm), values.secret);
  if (verb === 'try' && customer !== undefined && rest.length === 0)
    return printPreview(hubOfEnvironment(), crmNamed(crm).id, customer, values.json);
  console.error(usage);
  return 2;
};

const check = async (connector: CrmConnector, file: string | undefined): Promise<number> => {
  const mapping = readMapping(connector.id);
  const secret = (await givenSecret(connector, file)) ?? (await storedSecret(connector));
  const {
    account,
    mapping: findings,
    described,
  } = await lookAt(connector, await openAccount(connector, secret), mapping);
  const permissions = account.filter(({ ok }) => !ok);
  for (const { about, says } of permissions) console.log(`✗ ${about}: ${says}`);
  for (const line of mappingLines(mapping, findings)) console.log(line);
  if (permissions.length === 0 || findings.length > 0)
    console.log(mappingSummary(mapping, findings, described));
  return [...permissions, ...findings].every(({ ok }) => ok) ? 0 : 1;
};

const storedSecret = async ({ id, title }: CrmConnector): Promise<CrmSecret> => {
  const name = crmSecretName(id);
  const secret = await readCrmSecret(new SecretsManagerClient({}), name);
  if (secret !== undefined) return secret;
  throw badArguments(`The secret ${name} is empty. Connect ${title} first: hub connect ${id}`);
};
