import { SecretsManagerClient, type SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { type HubConfig, usedSenders } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { type Connection, readConnections, type SenderState } from '../client/connections.ts';
import { lookAt, mappingLines, mappingSummary, openAccount, readMapping } from '../crm/account.ts';
import { crmConnectorOf } from '../crm/connectors.ts';
import { readCrmSecret } from '../crm/secret.ts';
import { askHub, type Finding } from './doctor-hub.ts';

type AwsConfig = Pick<SecretsManagerClientConfig, 'region' | 'credentials' | 'requestHandler'>;

/** What is wrong with the CRMs and senders that are switched on: login, account, mapping, and whether the hub is connected. */
export const examineCrms = async (aws: AwsConfig, hub: HubConfig): Promise<Finding[]> => {
  const crms = Object.keys(hub.crms);
  const client = new SecretsManagerClient(aws);
  const accounts = await Promise.all(crms.map((crm) => accountFindings(client, hub.name, crm)));
  const subjects = [...crms.map(connectionSubject), ...[...usedSenders(hub)].map(senderSubject)];
  const connections = await askHub(client, hub.name, subjects, async (connection) => {
    const { items, senders } = await readConnections(connection);
    return [...items.map(connectionFinding), ...senders.map(senderFinding)];
  });
  return [...accounts.flat(), ...connections];
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

const senderSubject = (sender: string): string => `${sender} sender`;

const senderFinding = ({ sender, status, since, reason, until }: SenderState): Finding => {
  const subject = senderSubject(sender);
  if (status === 'working') return { state: 'ok', subject, detail: 'takes messages' };
  return { state: 'wrong', subject, detail: `${status} since ${since}, sends again ${until}: ${reason}` };
};

const connectionSubject = (crm: string): string => `${crm} connection`;

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
  const subject = connectionSubject(crm);
  const waits = `${waiting} changes wait, ${last}`;
  if (status === 'working') return { state: 'ok', subject, detail: `works; ${waits}` };
  const stops = [
    ...(reason === undefined ? [] : [`${reason} Since ${since}, next probe ${nextProbeAt}.`]),
    ...parked.map((one) => `${one.object} is parked since ${one.since}, ${one.waiting} wait: ${one.reason}`),
  ];
  return { state: 'wrong', subject, detail: [`${status}; ${waits}`, ...stops].join('\n    ') };
};
