import { parseArgs } from 'node:util';
import {
  type Connection,
  probeConnection,
  readConnections,
  type SenderState,
} from '../client/connections.ts';
import { hubOfEnvironment } from '../client/environment.ts';
import { CONNECTION_HELP } from '../command.ts';
import { sanitize } from '../terminal/sanitize.ts';

export const usage = `Usage: hub connections [probe CRM]

Shows for each CRM and sender whether it works, since when it does not and why, and how many changes wait for a CRM. The exit
code is 1 where one does not work.

  probe CRM      find out at once whether the CRM works, instead of at the next planned probe

${CONNECTION_HELP}`;

/** `hub connections …` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
  const [verb, crm] = positionals;
  if (verb === undefined) {
    const { items, senders } = await readConnections(hubOfEnvironment());
    for (const line of [...items.flatMap(connectionLines), ...senders.flatMap(senderLines)])
      console.log(line);
    return [...items, ...senders].every(({ status }) => status === 'working') ? 0 : 1;
  }
  if (verb !== 'probe' || crm === undefined) {
    console.error(usage);
    return 2;
  }
  await probeConnection(hubOfEnvironment(), crm);
  console.log('The hub probes it now. `hub connections` shows the result in some seconds.');
  return 0;
};

const connectionLines = ({
  crm,
  status,
  account,
  waiting,
  answeredAt,
  parked,
  ...stop
}: Connection): string[] => [
  [
    `${crm.padEnd(12)} ${status.padEnd(8)} ${waiting} waiting`,
    ...(account === undefined ? [] : [`account ${sanitize(account)}`]),
    ...(answeredAt === undefined ? [] : [`last answer ${answeredAt}`]),
  ].join(', '),
  ...(stop.reason === undefined ? [] : stopLines(stop)),
  ...parked.flatMap(({ object, waiting: count, ...one }) => [
    `  ${sanitize(object)} is parked, ${count} waiting`,
    ...stopLines(one),
  ]),
];

const senderLines = ({ sender, status, since = '', reason, until = '' }: SenderState): string[] => [
  `${sender.padEnd(12)} ${status}`,
  ...(reason === undefined ? [] : [`    since ${since}, sends again ${until}`, `    ${sanitize(reason)}`]),
];

const stopLines = ({
  since = '',
  reason = '',
  nextProbeAt = '',
}: Pick<Connection, 'since' | 'reason' | 'nextProbeAt'>): string[] => [
  `    since ${since}, next probe ${nextProbeAt}`,
  `    ${sanitize(reason)}`,
];
