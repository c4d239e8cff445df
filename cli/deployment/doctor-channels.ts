import { SecretsManagerClient, type SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { connectorOf } from '../../connectors/registry.ts';
import type { HubConfig } from '../../core/config/hub-config.ts';
import { type Channel, listChannels, type Refusals } from '../client/channels.ts';
import { askHub, type Finding } from './doctor-hub.ts';

/** Events of the own account come by a topic of the stack, without a webhook and without a secret. */
export const fedByTopic: ReadonlySet<string> = new Set(['ses', 'aws-sms']);

/** Whether the webhooks of each provider come and are accepted, as the API of the hub says. */
export const examineChannels = (
  aws: Pick<SecretsManagerClientConfig, 'region' | 'credentials' | 'requestHandler'>,
  hub: HubConfig,
): Promise<Finding[]> => {
  const providers = Object.keys(hub.channels).filter((id) => !fedByTopic.has(id));
  return askHub(new SecretsManagerClient(aws), hub.name, providers.map(subjectOf), async (connection) => {
    const { items, unknown } = await listChannels(connection);
    return [
      ...items.filter(({ channel }) => !fedByTopic.has(channel)).map(channelFinding),
      ...(unknown === null ? [] : [unknownFinding(unknown)]),
    ];
  });
};

const subjectOf = (provider: string): string => `${provider} webhooks`;

const channelFinding = ({ channel, firstDeliveryAt, lastDeliveryAt, refused }: Channel): Finding => {
  const finding = (state: Finding['state'], ...lines: string[]): Finding => ({
    ...{ state, subject: subjectOf(channel), detail: lines.join('\n    ') },
  });
  const came =
    firstDeliveryAt === undefined
      ? 'no authentic delivery has come yet'
      : `deliveries come since ${firstDeliveryAt}, the last about ${lastDeliveryAt}`;
  if (refused === undefined)
    return firstDeliveryAt === undefined
      ? finding('unknown', `${came}. \`hub connect ${channel} --steps\` says what to enter in its console.`)
      : finding('ok', came);
  if (lastDeliveryAt !== undefined && lastDeliveryAt >= refused.lastAt)
    return finding('ok', came, `Before that, ${refusedSentence(refused)}`);
  return finding('wrong', came, refusedSentence(refused), adviceOn(channel, refused));
};

/** A misspelt address or a stranger: nobody can see from here which. */
const unknownFinding = (refused: Refusals): Finding => ({
  state: 'unknown',
  subject: 'other webhooks',
  detail: [
    refusedSentence(refused),
    'Compare the addresses in the consoles of your providers with those of `hub connect PROVIDER --steps`, and with `channels` in hub.yaml.',
  ].join('\n    '),
});

const refusedSentence = ({ count, since, lastAt, source, status, reason, route }: Refusals): string =>
  [
    count === 1 ? `1 request was refused` : `at least ${count} requests were refused since ${since}`,
    `${count === 1 ? '' : 'the last '}at ${lastAt} ${route === 'unknown' ? '' : `to ${route} `}from ${source} (${status}): ${reason.replace(/\.$/u, '')}.`,
  ].join(count === 1 ? ' ' : ', ');

const NOT_AUTHENTIC: ReadonlySet<number> = new Set([401, 403]);

const adviceOn = (channel: string, { status, route }: Refusals): string => {
  const account = route.slice(channel.length + 1);
  const connect = `hub connect ${channel}${account === '' ? '' : ` --account ${account}`}`;
  const all = Object.entries(connectorOf(channel)?.secrets ?? {});
  const required = all.filter(([, { optional }]) => optional !== true);
  if (!NOT_AUTHENTIC.has(status) || all.length === 0)
    return `Correct the webhook in the console of ${channel}: \`${connect} --steps\` says what to enter there.`;
  const names = (required.length > 0 ? required : all)
    .map(([field, { about }]) => `${field} (${about})`)
    .join(' or ');
  return `Is ${names} that of this account, and the address in the console exactly that of \`${connect} --steps\`? \`${connect}\` stores the secret again. If you sent nothing then, a stranger did.`;
};
