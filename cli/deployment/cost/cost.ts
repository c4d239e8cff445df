import type { Prices } from './prices.ts';

/** What a hub used of AWS in a period. */
export interface Usage {
  readonly httpRequests: number;
  readonly functions: readonly {
    readonly name: string;
    readonly runs: number;
    readonly gigabyteSeconds: number;
  }[];
  readonly sqs: { readonly sends: number; readonly receives: number; readonly deletes: number };
  readonly dynamodb: { readonly writeUnits: number; readonly readUnits: number };
  readonly events: number;
  readonly archivedBytes: number;
  readonly schedules: number;
  readonly logBytes: number;
  /** Undefined where CloudWatch does not count them. */
  readonly s3?: { readonly puts: number; readonly gets: number };
  readonly secretReads?: number;
}

export interface CostLine {
  readonly service: string;
  /** The unit of `quantity`, such as `GB`; of Lambda with the function's name before it. */
  readonly unit: string;
  readonly quantity: number;
  readonly dollars: number;
}

const GIGABYTE = 1024 ** 3;

/** Usage times list prices, the highest first. Messages sent and storage are not included. */
export const costOf = (usage: Usage, { perMillion, perGigabyte }: Prices): CostLine[] => {
  const line = (service: string, unit: string, quantity: number, price: number): CostLine => ({
    service,
    unit,
    quantity,
    dollars: (quantity * price) / 1e6,
  });
  const { sqs, dynamodb, s3 } = usage;
  const lines = [
    line('API Gateway', 'HTTP requests', usage.httpRequests, perMillion.httpRequest),
    ...usage.functions.flatMap(({ name, runs, gigabyteSeconds }) => [
      line('Lambda', `${name}: runs`, runs, perMillion.lambdaRequest),
      line('Lambda', `${name}: GB-s`, gigabyteSeconds, perMillion.lambdaGigabyteSecond),
    ]),
    line('SQS', 'sends', sqs.sends, perMillion.sqsRequest),
    line('SQS', 'receives', sqs.receives, perMillion.sqsRequest),
    line('SQS', 'deletes', sqs.deletes, perMillion.sqsRequest),
    line('DynamoDB', 'write units', dynamodb.writeUnits, perMillion.dynamodbWriteUnit),
    line('DynamoDB', 'read units', dynamodb.readUnits, perMillion.dynamodbReadUnit),
    line('EventBridge', 'events', usage.events, perMillion.event),
    line('EventBridge', 'archived GB', usage.archivedBytes / GIGABYTE, perGigabyte.archivedEvent * 1e6),
    line('Scheduler', 'schedules fired', usage.schedules, perMillion.schedule),
    line('CloudWatch Logs', 'GB', usage.logBytes / GIGABYTE, perGigabyte.log * 1e6),
    line('S3', 'puts', s3?.puts ?? 0, perMillion.s3Put),
    line('S3', 'gets', s3?.gets ?? 0, perMillion.s3Get),
    line('Secrets Manager', 'reads', usage.secretReads ?? 0, perMillion.secretRead),
  ];
  return lines.filter(({ quantity }) => quantity > 0).sort((one, other) => other.dollars - one.dollars);
};

export const totalDollars = (lines: readonly CostLine[]): number =>
  lines.reduce((total, { dollars }) => total + dollars, 0);

/** A table by service: dollars, dollars per million of `units`, and share of the total; then the six highest lines. */
export const costTable = (lines: readonly CostLine[], units: { name: string; count: number }): string[] => {
  const total = totalDollars(lines);
  const row = (name: string, dollars: number): string => {
    const million = units.count === 0 ? '' : ((dollars / units.count) * 1e6).toFixed(3);
    const share = total === 0 ? '' : `${((dollars / total) * 100).toFixed(0)} %`;
    return `${name.padEnd(34)}${dollars.toFixed(6).padStart(14)}${million.padStart(14)}${share.padStart(8)}`;
  };
  const services = Map.groupBy(lines, ({ service }) => service);
  return [
    `${''.padEnd(34)}${'dollars'.padStart(14)}${'per million'.padStart(14)}${'share'.padStart(8)}`,
    ...[...services].map(([service, own]) => row(service, totalDollars(own))),
    row('total', total),
    '',
    `Highest costs, for ${units.count} ${units.name}:`,
    ...lines
      .slice(0, 6)
      .map(({ service, unit, quantity, dollars }) =>
        row(`  ${service}, ${unit} (${Number(quantity.toPrecision(3))})`, dollars),
      ),
  ];
};
