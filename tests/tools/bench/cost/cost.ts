import { type CostLine, costOf, totalDollars, type Usage } from '../../../../cli/deployment/cost/cost.ts';
import { type StackResource, usageOf } from '../../../../cli/deployment/cost/measure.ts';
import { assumed, prices } from '../../../../cli/deployment/cost/prices.ts';
import type { Measured } from '../measured.ts';
import { type CountedLoad, capacityOf, countLoad, loadShapes, sendRequestsOf } from './loads.ts';

/** The load runs two CRMs; the goal is for one. */
const OTHER_CRM = /^Hubspot/u;

/** What a load used, in dollars for a million interactions: counted, priced by the list, times in Lambda assumed. */
const costOfLoad = (load: CountedLoad): CostLine[] => {
  const { resources, sumOf, operations } = load;
  const own = resources.filter(({ logicalId }) => !OTHER_CRM.test(logicalId));
  const others = resources.filter(
    ({ logicalId, type }) => OTHER_CRM.test(logicalId) && type === 'AWS::Lambda::Function',
  );
  const counted = usageOf(own, sumOf);
  const elsewhere = (at: 0 | 1): number =>
    others.reduce((units, { physicalId }) => units + sumOf(capacityOf(physicalId)[at]), 0);
  const runs = counted.functions.reduce((all, one) => all + one.runs, 0);
  const asked = (operation: string): number => operations.get(operation) ?? 0;
  const sends = own
    .filter(({ type }) => type === 'AWS::SQS::Queue')
    .reduce((sum, { physicalId }) => sum + sumOf(sendRequestsOf(physicalId)), 0);
  const usage: Usage = {
    ...counted,
    sqs: { ...counted.sqs, sends },
    functions: counted.functions.map((one) => ({
      ...one,
      gigabyteSeconds: assumedGigabyteSeconds(one.name, one.runs, own, load),
    })),
    dynamodb: {
      readUnits: counted.dynamodb.readUnits - elsewhere(0),
      writeUnits: counted.dynamodb.writeUnits - elsewhere(1),
    },
    logBytes: runs * assumed.logBytesPerRun,
    s3: { puts: asked('s3 PutObject'), gets: asked('s3 GetObject') },
  };
  const scale = 1e6 / load.interactions;
  return costOf(usage, prices).map((line) => ({
    ...line,
    quantity: line.quantity * scale,
    dollars: line.dollars * scale,
  }));
};

const kinds = [
  [/Receive/u, 'receive', undefined],
  [/Record/u, 'record', /^Deliveries/u],
  [/Decide/u, 'decide', /^Decisions/u],
  [/Notify/u, 'notify', /^Notifications/u],
  [/Sync/u, 'sync', /^Salesforce/u],
] as const;

const assumedGigabyteSeconds = (
  name: string,
  runs: number,
  resources: readonly StackResource[],
  { sumOf }: CountedLoad,
): number => {
  const [, kind, feeds] = kinds.find(([pattern]) => pattern.test(name)) ?? [undefined, 'other', undefined];
  const messages = resources
    .filter(({ type, logicalId }) => type === 'AWS::SQS::Queue' && feeds?.test(logicalId) === true)
    .reduce((all, { physicalId }) => {
      const value = physicalId.split('/').at(-1) ?? physicalId;
      const dimension = { name: 'QueueName', value };
      return all + sumOf({ namespace: 'AWS/SQS', name: 'NumberOfMessagesReceived', dimension });
    }, 0);
  const { baseMs, eachMs } = assumed.run[kind];
  return ((runs * baseMs + messages * eachMs) / 1000) * assumed.memoryGigabytes;
};

/** A load and what it costs, in dollars for a million interactions. */
export interface LoadCost {
  readonly load: CountedLoad;
  readonly lines: readonly CostLine[];
  /** Of the rows that it leaves in the table, and their backups, for three years. */
  readonly stored: number;
}

const MONTHS = 36;
const GIGABYTE = 1024 ** 3;

export const countCosts = async (): Promise<LoadCost[]> => {
  const costs: LoadCost[] = [];
  for (const shape of loadShapes) {
    const load = await countLoad(shape);
    const gigabytes = ((load.storedBytes / load.interactions) * 1e6) / GIGABYTE;
    const { storage, backup } = prices.perGigabyteMonth;
    costs.push({ load, lines: costOfLoad(load), stored: gigabytes * MONTHS * (storage + backup) });
  }
  return costs;
};

/** The goals, and what each load cost before the savings of decision 24, counted in the same way. */
const goals: Readonly<Record<string, { readonly atMost?: number; readonly before: number }>> = {
  bursts: { atMost: 8, before: 10.85 },
  'one at a time': { atMost: 11, before: 16.52 },
  'first contacts': { before: 25.3 },
};

export const measuredCosts = (costs: readonly LoadCost[]): Measured[] =>
  costs.map(({ load: { name }, lines }) => {
    const { atMost, before } = goals[name] ?? {};
    return {
      name: `AWS list cost per million interactions, one CRM, ${name}`,
      measured: totalDollars(lines),
      unit: '$',
      ...(atMost !== undefined && { goal: { atMost } }),
      ...(before !== undefined && { note: `before: ${before} $` }),
    };
  });

/** The loads side by side, in dollars for a million interactions, by service. */
export const costColumns = (costs: readonly LoadCost[]): string[] => {
  const row = (name: string, values: readonly string[]): string =>
    `${name.padEnd(34)}${values.map((value) => value.padStart(16)).join('')}`.trimEnd();
  const dollars = (name: string, of: (cost: LoadCost) => number | undefined): string =>
    row(
      name,
      costs.map((cost) => of(cost)?.toFixed(2) ?? ''),
    );
  const services = new Set(costs.flatMap(({ lines }) => lines.map(({ service }) => service)));
  const lineName = ({ service, unit }: CostLine): string => `  ${service}, ${unit}`;
  const highest = costs.flatMap(({ lines }) => lines.slice(0, HIGHEST).map(lineName));
  return [
    row(
      '',
      costs.map(({ load }) => load.name),
    ),
    ...[...services].map((service) =>
      dollars(service, ({ lines }) => totalDollars(lines.filter((line) => line.service === service))),
    ),
    dollars('total', ({ lines }) => totalDollars(lines)),
    dollars('before decision 24', ({ load }) => goals[load.name]?.before),
    dollars('rows and backups for three years', ({ stored }) => stored),
    '',
    'The highest costs:',
    ...[...new Set(highest)].map((name) =>
      dollars(name, ({ lines }) => lines.find((line) => lineName(line) === name)?.dollars ?? 0),
    ),
  ];
};

const HIGHEST = 8;
