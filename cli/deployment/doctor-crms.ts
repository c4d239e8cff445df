import { SecretsManagerClient, type SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import type { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { type Connection, listConnections } from '../client/connections.ts';
import { hubAddress } from '../client/environment.ts';
import { lookAt, mappingLines, mappingSummary, openAccount, readMapping } from '../crm/account.ts';
import { crmConnectorOf } from '../crm/connectors.ts';
import { readCrmSecret } from '../crm/secret.ts';

/** `unknown`: the check itself failed, usually because the caller lacks the permission. */
export interface Finding {
  readonly state: 'ok' | 'wrong' | 'unknown';
  readonly subject: string;
  readonly detail: string;
}

type AwsConfig = Pick<SecretsManagerClientConfig, 'region' | 'credentials' | 'requestHandler'>;

/** What is wrong with the CRMs that are switched on: login, account, mapping, and whether the hub is connected. */
export const examineCrms = async (aws: AwsConfig, hub: HubConfig): Promise<Finding[]> => {
  const crms = Object.keys(hub.crms);
  if (crms.length === 0) return [];
  const client = new SecretsManagerClient(aws);
  const accounts = await Promise.all(crms.map((crm) => accountFindings(client, hub.name, crm)));
  return [...accounts.flat(), ...(await connectionFindings(client, hub.name, crms))];
};

const accountFindings = async (
  client: SecretsManagerClient,
  hub: string,
  crm: string,
): Promise<Finding[]> => {
  const connector = crmConnectorOf(crm);
  if (connector === undefined) return [];
  const finding = (state: Finding['state'], about: string, detail: string): Finding => ({
    ...{ state, subject: `${crm} ${about}`, detail },
  });
  try {
    const secret = await readCrmSecret(client, `${hub}/crm/${crm}`);
    // The check of the secrets reports an empty one.
    if (secret === undefined) return [];
    const file = readMapping(crm);
    const { account, mapping, described } = await lookAt(
      connector,
      await openAccount(connector, secret),
      file,
    );
    return [
      finding('ok', 'login', `${connector.title} accepts the credentials`),
      ...account.map(({ about, says, ok }) => finding(ok ? 'ok' : 'wrong', about, says)),
      finding(
        mapping.every(({ ok }) => ok) ? 'ok' : 'wrong',
        'mapping',
        [mappingSummary(file, mapping, described).slice(2), ...mappingLines(file, mapping)].join('\n    '),
      ),
    ];
  } catch (error) {
    if (error instanceof HubError) return [finding('wrong', 'login', error.message)];
    return [finding('unknown', 'login', `AWS answered ${error instanceof Error ? error.name : 'an error'}`)];
  }
};

/** Whether the hub uses the CRMs now, as its API says; the key of the API is in its secret. */
const connectionFindings = async (
  client: SecretsManagerClient,
  hub: string,
  crms: readonly string[],
): Promise<Finding[]> => {
  const all = (state: Finding['state'], detail: string): Finding[] =>
    crms.map((crm) => ({ state, subject: `${crm} connection`, detail }));
  const { HUB_URL: url, HUB_KEY } = process.env;
  if (url === undefined || url === '')
    return all('unknown', 'set HUB_URL to the address of the hub to see it');
  try {
    const address = hubAddress(url);
    const key = HUB_KEY ?? (await readCrmSecret(client, `${hub}/api`))?.['keys'] ?? '';
    return (await listConnections({ url: address, key })).map(connectionFinding);
  } catch (error) {
    return all('unknown', error instanceof HubError ? error.message : `${url} did not answer`);
  }
};

const connectionFinding = ({
  crm,
  status,
  waiting,
  answeredAt,
  since,
  reason,
  nextProbeAt,
  parked,
}: Connection): Finding => {
  const last = answeredAt === undefined ? 'no answer is recorded' : `last answer ${answeredAt}`;
  const subject = `${crm} connection`;
  const waits = `${waiting} changes wait, ${last}`;
  if (status === 'working') return { state: 'ok', subject, detail: `works; ${waits}` };
  const stops = [
    ...(reason === undefined ? [] : [`${reason} Since ${since}, next probe ${nextProbeAt}.`]),
    ...parked.map((one) => `${one.object} is parked since ${one.since}, ${one.waiting} wait: ${one.reason}`),
  ];
  return { state: 'wrong', subject, detail: [`${status}; ${waits}`, ...stops].join('\n    ') };
};
