import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import { sortKeyPrefix } from '../../functions/contracts/keys.ts';
import { activityOf } from '../../functions/contracts/rows/people.ts';
import { notificationOf } from '../../functions/contracts/rows/triggers.ts';
import type { Runtime } from '../../functions/contracts/runtime.ts';
import type { Cloud } from '../../infra/local/runtime/cloud.ts';
import type { Sandboxes } from '../../infra/scenario/hub/sandboxes.ts';
import type { SampleCounts } from './samples.ts';

export type Counted = SampleCounts;

/** What the hub holds now, read from the table, the sandboxes and the outbox. */
export const countStored = async (
  cloud: Cloud,
  crms: Sandboxes,
  runtime: Runtime,
  answers: readonly number[],
): Promise<Counted> => {
  const { Items = [] } = await new DynamoDBClient(clientConfig(runtime)).send(
    new ScanCommand({ TableName: runtime.env['TABLE'] }),
  );
  const rows = Items.map((item) => unmarshall(item)).map((row) => ({
    ...row,
    pk: String(row['pk']),
    sk: String(row['sk']),
  }));
  const roots = rows
    .filter(({ sk }) => sk === 'activity')
    .map((row) => activityOf(row))
    .filter(({ survivor }) => survivor === undefined)
    .map(({ id }) => id);
  const decided = rows.filter(({ sk }) => sk.startsWith(sortKeyPrefix.notification)).map(notificationOf);
  const sent = cloud.sentMessages.list();
  const of = (medium: 'email' | 'sms' | 'push'): number =>
    sent.filter((message) => message.medium === medium).length;
  return {
    deliveries: answers.length,
    refused: answers.filter((status) => status === 401).length,
    interactions: rows.filter(({ sk }) => sk.startsWith(sortKeyPrefix.interaction)).length,
    customers: roots.length,
    crm: crms.countRecords(new Set(roots)),
    notifications: { email: of('email'), sms: of('sms'), push: of('push') },
    suppressed: decided.filter(({ status }) => status === 'suppressed').length,
  };
};

/** The closing table; `right` when every number is what the samples imply. */
export const closingTable = (
  found: Counted,
  implied: SampleCounts,
  seconds: number,
  requests: ReadonlyMap<string, number>,
): { text: string; right: boolean } => {
  const rows: [string, number, number][] = [
    ['deliveries', found.deliveries, implied.deliveries],
    ['  refused', found.refused, implied.refused],
    ['interactions', found.interactions, implied.interactions],
    ['customers', found.customers, implied.customers],
    ...Object.entries(implied.crm).flatMap(([crm, objects]) =>
      Object.entries(objects).map(([object, count]): [string, number, number] => [
        `${crm} ${object}`,
        found.crm[crm]?.[object] ?? 0,
        count,
      ]),
    ),
    ['e-mails sent', found.notifications.email, implied.notifications.email],
    ['SMS sent', found.notifications.sms, implied.notifications.sms],
    ['pushes sent', found.notifications.push, implied.notifications.push],
    ['suppressed', found.suppressed, implied.suppressed],
  ];
  const lines = rows.map(
    ([name, is, should]) =>
      `${name.padEnd(26)}${String(is).padStart(6)}${is === should ? '' : `   expected ${should}`}`,
  );
  return {
    text: [
      ...lines,
      `${'seconds'.padEnd(26)}${seconds.toFixed(1).padStart(6)}`,
      '',
      'AWS requests per interaction',
      ...requestLines(requests, found.interactions),
    ].join('\n'),
    right: rows.every(([, is, should]) => is === should),
  };
};

/** Requests that the functions made, by service and operation, most frequent first. */
const requestLines = (requests: ReadonlyMap<string, number>, interactions: number): string[] => {
  const sums = new Map<string, number>();
  for (const [key, count] of requests) {
    const [caller, service, operation] = key.split(' ');
    if (caller !== '-')
      sums.set(`${service} ${operation}`, (sums.get(`${service} ${operation}`) ?? 0) + count);
  }
  return [...sums]
    .sort(([, one], [, other]) => other - one)
    .map(
      ([name, count]) => `  ${name.padEnd(36)}${(count / Math.max(1, interactions)).toFixed(2).padStart(6)}`,
    );
};
