import type { Hub } from '../../infra/scenario/hub/open-hub.ts';
import { readTableTotals } from '../../infra/scenario/hub/table-totals.ts';
import type { ExpectedCounts } from './expected.ts';
import type { SampleCounts } from './samples.ts';

/** Counts what the hub has stored, sent and written to the CRMs. `statuses`: those of the answers to the webhooks. */
export const countStored = async (
  { cloud, crms, crmsOn, runtime }: Hub,
  statuses: readonly number[],
): Promise<SampleCounts> => {
  const { customers, mergedIn, interactions, suppressed, failures } = await readTableTotals(runtime);
  const sent = cloud.sentMessages.list();
  const sentBy = (medium: 'email' | 'sms' | 'push'): number =>
    sent.filter((message) => message.medium === medium).length;
  return {
    deliveries: statuses.length,
    refused: statuses.filter((status) => status === 401).length,
    off: statuses.filter((status) => status === 404).length,
    interactions,
    customers,
    crm: Object.fromEntries(
      Object.entries(crms.countRecords(mergedIn)).filter(([crm]) => crmsOn.includes(crm)),
    ),
    notifications: { email: sentBy('email'), sms: sentBy('sms'), push: sentBy('push') },
    ...{ suppressed, failures },
  };
};

interface Summary {
  readonly actual: SampleCounts;
  readonly expected: ExpectedCounts;
  readonly seconds: number;
  /** The number of requests by `caller service operation`; the caller is a function, or `-`. */
  readonly requests: ReadonlyMap<string, number>;
}

/**
 * The table that `npm start` prints after the samples; every number that is not as expected is marked. One that nothing was
 * expected of is as it is.
 */
export const summaryTable = ({
  actual,
  expected,
  seconds,
  requests,
}: Summary): { text: string; isAsExpected: boolean } => {
  const rows: CountRow[] = [
    ['deliveries', actual.deliveries, expected.deliveries],
    ['  refused', actual.refused, expected.refused],
    ...(actual.off + expected.off === 0 ? [] : [['  of channels off', actual.off, expected.off] as const]),
    ['interactions', actual.interactions, expected.interactions],
    ['customers', actual.customers, expected.customers],
    ...Object.entries(actual.crm).flatMap(([crm, objects]) => crmRows(crm, objects, expected.crm?.[crm])),
    ['e-mails sent', actual.notifications.email, expected.notifications?.email],
    ['SMS sent', actual.notifications.sms, expected.notifications?.sms],
    ['pushes sent', actual.notifications.push, expected.notifications?.push],
    ['suppressed', actual.suppressed, expected.suppressed],
    ['failures', actual.failures, expected.failures],
  ];
  const isRight = ([, found, wanted = found]: CountRow): boolean => found === wanted;
  const lines = rows.map(
    (row) =>
      `${row[0].padEnd(26)}${String(row[1]).padStart(6)}${isRight(row) ? '' : `   expected ${row[2]}`}`,
  );
  return {
    text: [
      ...lines,
      `${'seconds'.padEnd(26)}${seconds.toFixed(1).padStart(6)}`,
      '',
      'AWS requests per interaction',
      ...requestLines(requests, actual.interactions),
    ].join('\n'),
    isAsExpected: rows.every(isRight),
  };
};

type CountRow = readonly [name: string, actual: number, expected: number | undefined];

/** The records of a CRM: those that are expected, or whatever it has. */
const crmRows = (
  crm: string,
  actual: Readonly<Record<string, number>>,
  expected: Readonly<Record<string, number>> | undefined,
): CountRow[] =>
  Object.keys(expected ?? actual).map((object) => [
    `${crm} ${object}`,
    actual[object] ?? 0,
    expected?.[object],
  ]);

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
