import { type CostLine, costOf, totalDollars, type Usage } from '../../../cli/deployment/cost/cost.ts';
import { type StackResource, usageOf } from '../../../cli/deployment/cost/measure.ts';
import { assumed, prices } from '../../../cli/deployment/cost/prices.ts';
import { capacityOf, type Load } from './load.ts';
import type { Measured } from './measured.ts';

/** The load runs two CRMs; the goal is for one. */
const OTHER_CRM = /^Hubspot/u;

/** What a thousand messages used, in dollars for a million: counted here, priced by the list, times in Lambda assumed. */
export const costOfLoad = (load: Load): { lines: CostLine[]; perMillion: number } => {
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
  const usage: Usage = {
    ...counted,
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
  const lines = costOf(usage, prices).map((line) => ({
    ...line,
    quantity: line.quantity * scale,
    dollars: line.dollars * scale,
  }));
  return { lines, perMillion: totalDollars(lines) };
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
  { sumOf }: Load,
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

export const measuredCost = (load: Load): Measured[] => [
  {
    name: 'AWS list cost per million interactions, one CRM',
    measured: costOfLoad(load).perMillion,
    unit: '$',
    goal: { atMost: 10 },
  },
];
