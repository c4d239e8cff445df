import type { Hub } from '../../infra/scenario/hub/open-hub.ts';
import { readTableTotals } from '../../infra/scenario/hub/table-totals.ts';
import type { SampleCounts } from './samples.ts';

/** Counts what the hub has stored, sent and written to the CRMs. `statuses`: those of the answers to the webhooks. */
export const countStored = async (
  { cloud, crms, runtime }: Hub,
  statuses: readonly number[],
): Promise<SampleCounts> => {
  const { customers, mergedIn, interactions, suppressed } = await readTableTotals(runtime);
  const sent = cloud.sentMessages.list();
  const sentBy = (medium: 'email' | 'sms' | 'push'): number =>
    sent.filter((message) => message.medium === medium).length;
  return {
    deliveries: statuses.length,
    refused: statuses.filter((status) => status === 401).length,
    interactions,
    customers,
    crm: crms.countRecords(mergedIn),
    notifications: { email: sentBy('email'), sms: sentBy('sms'), push: sentBy('push') },
    suppressed,
  };
};

interface Summary {
  readonly actual: SampleCounts;
  readonly expected: SampleCounts;
  readonly seconds: number;
  /** The number of requests by `caller service operation`; the caller is a function, or `-`. */
  readonly requests: ReadonlyMap<string, number>;
}

/** The table that `npm start` prints after the samples; every number that is not as expected is marked. */
export const summaryTable = ({
  actual,
  expected,
  seconds,
  requests,
}: Summary): { text: string; isAsExpected: boolean } => {
  const rows: [name: string, actual: number, expected: number][] = [
    ['deliveries', actual.deliveries, expected.deliveries],
    ['  refused', actual.refused, expected.refused],
    ['interactions', actual.interactions, expected.interactions],
    ['customers', actual.customers, expected.customers],
    ...Object.entries(expected.crm).flatMap(([crm, objects]) =>
      Object.entries(objects).map(([object, count]): [string, number, number] => [
        `${crm} ${object}`,
        actual.crm[crm]?.[object] ?? 0,
        count,
      ]),
    ),
    ['e-mails sent', actual.notifications.email, expected.notifications.email],
    ['SMS sent', actual.notifications.sms, expected.notifications.sms],
    ['pushes sent', actual.notifications.push, expected.notifications.push],
    ['suppressed', actual.suppressed, expected.suppressed],
  ];
  const lines = rows.map(
    ([name, found, wanted]) =>
      `${name.padEnd(26)}${String(found).padStart(6)}${found === wanted ? '' : `   expected ${wanted}`}`,
  );
  return {
    text: [
      ...lines,
      `${'seconds'.padEnd(26)}${seconds.toFixed(1).padStart(6)}`,
      '',
      'AWS requests per interaction',
      ...requestLines(requests, actual.interactions),
    ].join('\n'),
    isAsExpected: rows.every(([, found, wanted]) => found === wanted),
  };
};

/** The requests of the functions per interaction, by service and operation, most frequent first. */
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
