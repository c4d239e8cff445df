import * as z from 'zod';
import { type Operation, ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { Spending } from './capacity.ts';
import { TableName } from './items.ts';
import { read } from './shape.ts';
import { isDue, type Store } from './store.ts';
import { type Definition, type Details, Table } from './table.ts';
import { arnOf } from './tables.ts';
import { invalid } from './values.ts';

const Named = z.looseObject({ TableName });
const TtlInput = Named.extend({
  TimeToLiveSpecification: z.object({ AttributeName: z.string().min(1).max(255), Enabled: z.boolean() }),
});
const BackupsInput = Named.extend({
  PointInTimeRecoverySpecification: z.looseObject({ PointInTimeRecoveryEnabled: z.boolean() }),
});
const Arn = z.looseObject({ ResourceArn: z.string().min(1).max(1283) });
const TagInput = Arn.extend({ Tags: z.array(z.object({ Key: z.string(), Value: z.string() })) });
const UntagInput = Arn.extend({ TagKeys: z.array(z.string()) });

/** Expiry, backups and tags of tables. */
export const upkeep = (store: Store, around: ServiceContext): Record<string, Operation> => {
  const named = (input: unknown): Table => store.table(read(Named, input).TableName, true);
  const change = (table: Table, details: Partial<Details>, definition: Partial<Definition> = {}): void =>
    store.replace(new Table({ ...table.definition, ...definition }, { ...table.details, ...details }));
  const tagged = (arn: string): Table => {
    const table = store.names().map((name) => store.table(name));
    const found = table.find((one) => arnOf(one, around) === arn);
    if (found) return found;
    throw new ServiceError(
      'ResourceNotFoundException',
      `Requested resource not found: ResourcArn: ${arn} not found`,
    );
  };
  return {
    UpdateTimeToLive(input) {
      const table = named(input);
      const { TimeToLiveSpecification: ttl } = read(TtlInput, input);
      const { ttl: present } = table.details;
      if (ttl.Enabled && present !== undefined)
        throw invalid(
          present === ttl.AttributeName
            ? 'TimeToLive is already enabled'
            : `TimeToLive is active on a different AttributeName: current AttributeName is ${present}`,
        );
      if (!ttl.Enabled && present === undefined) throw invalid('TimeToLive is already disabled');
      change(table, { ttl: ttl.Enabled ? ttl.AttributeName : undefined });
      return { TimeToLiveSpecification: ttl };
    },
    DescribeTimeToLive(input) {
      const { ttl } = named(input).details;
      return {
        TimeToLiveDescription:
          ttl === undefined
            ? { TimeToLiveStatus: 'DISABLED' }
            : { TimeToLiveStatus: 'ENABLED', AttributeName: ttl },
      };
    },
    UpdateContinuousBackups(input) {
      const table = store.table(read(Named, input).TableName, true);
      const { PointInTimeRecoverySpecification: wanted } = read(BackupsInput, input);
      change(table, { backups: wanted.PointInTimeRecoveryEnabled });
      return backups(wanted.PointInTimeRecoveryEnabled, table, around.clock.now());
    },
    DescribeContinuousBackups(input) {
      const table = named(input);
      return backups(table.details.backups, table, around.clock.now());
    },
    TagResource(input) {
      const { ResourceArn: arn, Tags: fresh } = read(TagInput, input);
      const table = tagged(arn);
      const keys = new Set(fresh.map(({ Key }) => Key));
      const kept = (table.definition.Tags ?? []).filter(({ Key }) => !keys.has(Key));
      change(table, {}, { Tags: [...kept, ...fresh] });
    },
    UntagResource(input) {
      const { ResourceArn: arn, TagKeys: gone } = read(UntagInput, input);
      const table = tagged(arn);
      change(table, {}, { Tags: (table.definition.Tags ?? []).filter(({ Key }) => !gone.includes(Key)) });
    },
    ListTagsOfResource: (input) => ({ Tags: tagged(read(Arn, input).ResourceArn).definition.Tags ?? [] }),
  };
};

const backups = (enabled: boolean, { details }: Table, now: number): object => ({
  ContinuousBackupsDescription: {
    ContinuousBackupsStatus: 'ENABLED',
    PointInTimeRecoveryDescription: {
      PointInTimeRecoveryStatus: enabled ? 'ENABLED' : 'DISABLED',
      ...(enabled && {
        EarliestRestorableDateTime: details.createdAt / 1000,
        LatestRestorableDateTime: now / 1000,
      }),
    },
  },
});

/** Deletes what has expired, tokens of transactions too; DynamoDB itself promises no more than days. */
export const sweep = (store: Store, now: number): void => {
  store.forgetTokens(now);
  const seconds = Math.floor(now / 1000);
  for (const table of store.expiring()) {
    const attribute = table.details.ttl ?? '';
    const due = store.expired(table, seconds).filter((item) => isDue(item, attribute, seconds));
    if (due.length === 0) continue;
    store.atomically(() => {
      for (const item of due) store.write(table.place(item), item, undefined, new Spending(table, 'write'));
    });
  }
};
