import * as z from 'zod';
import { type Operation, ServiceError } from '../../protocol/json.ts';
import type { ServiceContext } from '../../protocol/service.ts';
import { parseInput } from '../input.ts';
import { ConsumedCapacity } from '../items/capacity.ts';
import { TableName } from '../items/items.ts';
import type { Item } from '../values/values.ts';
import type { Store } from './store.ts';
import { Table } from './table.ts';

const Named = z.looseObject({ TableName });
const Update = Named.extend({
  PointInTimeRecoverySpecification: z.looseObject({ PointInTimeRecoveryEnabled: z.boolean() }),
});
const Restore = z.looseObject({
  SourceTableName: TableName,
  TargetTableName: TableName,
  UseLatestRestorableTime: z.boolean().optional(),
  /** Epoch seconds. */
  RestoreDateTime: z.number().optional(),
});

/** The newest second that can be restored lies five minutes back (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/pointintimerecovery_beforeyoubegin.html). */
const LATEST_MS = 5 * 60_000;
const DAYS_KEPT_MS = 35 * 86_400_000;

/**
 * UpdateContinuousBackups, DescribeContinuousBackups and RestoreTableToPointInTime. A history is kept of tables for which a
 * call has asked for it, not of those whose template does: it keeps what an erasure removes, and the local runtime shows that
 * nothing is left.
 */
export const pointInTime = (store: Store, context: ServiceContext): Record<string, Operation> => {
  const { db, clock, region, account } = context;
  db.function('dynamodb_now', () => clock.now());
  db.exec(`
    CREATE TABLE IF NOT EXISTS dynamodb_recovery (tbl TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS dynamodb_history (tbl TEXT NOT NULL, hash BLOB NOT NULL, range BLOB NOT NULL, at INTEGER NOT NULL, before TEXT) STRICT;
    CREATE INDEX IF NOT EXISTS dynamodb_history_keys ON dynamodb_history (tbl, hash, range, at);
    ${historyTrigger('INSERT', 'NEW', 'NULL')}
    ${historyTrigger('UPDATE', 'OLD', 'OLD.item')}
    ${historyTrigger('DELETE', 'OLD', 'OLD.item')}
  `);
  const start = db.prepare('INSERT OR IGNORE INTO dynamodb_recovery VALUES (?, ?)');
  const end = [
    db.prepare('DELETE FROM dynamodb_recovery WHERE tbl = ?'),
    db.prepare('DELETE FROM dynamodb_history WHERE tbl = ?'),
  ];
  const since = db.prepare('SELECT since FROM dynamodb_recovery WHERE tbl = ?');
  // The first change after an instant tells what an item was then; an item without one is as it was.
  const itemsAt = db.prepare(`
    SELECT item FROM dynamodb_items AS i WHERE tbl = ?1 AND NOT EXISTS
      (SELECT 1 FROM dynamodb_history AS h WHERE h.tbl = i.tbl AND h.hash = i.hash AND h.range = i.range AND h.at > ?2)
    UNION ALL
    SELECT before FROM dynamodb_history WHERE before IS NOT NULL AND rowid IN
      (SELECT min(rowid) FROM dynamodb_history WHERE tbl = ?1 AND at > ?2 GROUP BY hash, range)`);

  /** The first and the last instant that can be restored; undefined where no history is kept. */
  const restorable = (table: Table): { readonly earliest: number; readonly latest: number } | undefined => {
    const row = since.get(table.name);
    if (row === undefined) return undefined;
    const earliest = Math.max(Number(row['since']), clock.now() - DAYS_KEPT_MS);
    return { earliest, latest: Math.max(earliest, clock.now() - LATEST_MS) };
  };
  const described = (table: Table): object => {
    const range = restorable(table);
    return {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription:
        range === undefined
          ? { PointInTimeRecoveryStatus: 'DISABLED' }
          : {
              PointInTimeRecoveryStatus: 'ENABLED',
              RecoveryPeriodInDays: 35,
              EarliestRestorableDateTime: range.earliest / 1000,
              LatestRestorableDateTime: range.latest / 1000,
            },
    };
  };
  /** A table as the operations on backups name it. */
  const named = (name: string): Table => {
    if (!store.names().includes(name))
      throw new ServiceError('TableNotFoundException', `Table not found: ${name}`);
    return store.table(name);
  };
  return {
    UpdateContinuousBackups(input) {
      const { TableName: name, PointInTimeRecoverySpecification: recovery } = parseInput(Update, input);
      const table = named(name);
      if (recovery.PointInTimeRecoveryEnabled) start.run(table.name, clock.now());
      else for (const statement of end) statement.run(table.name);
      return { ContinuousBackupsDescription: described(table) };
    },
    DescribeContinuousBackups: (input) => ({
      ContinuousBackupsDescription: described(named(parseInput(Named, input).TableName)),
    }),
    RestoreTableToPointInTime(input) {
      const given = parseInput(Restore, input);
      const source = named(given.SourceTableName);
      const range = restorable(source);
      if (range === undefined)
        throw new ServiceError(
          'PointInTimeRecoveryUnavailableException',
          `Point in time recovery is not enabled for table '${source.name}'`,
        );
      if (store.names().includes(given.TargetTableName))
        throw new ServiceError(
          'TableAlreadyExistsException',
          `Table already exists: ${given.TargetTableName}`,
        );
      const at = given.RestoreDateTime === undefined ? range.latest : given.RestoreDateTime * 1000;
      if (at < range.earliest || at > range.latest)
        throw new ServiceError(
          'InvalidRestoreTimeException',
          'The specified restore time is not within the point in time recovery window',
        );
      // Time to live, recovery and protection are not those of the source: they have to be set again.
      const { DeletionProtectionEnabled: _, ...definition } = source.definition;
      const target = new Table(
        { ...definition, TableName: given.TargetTableName },
        { createdAt: clock.now(), id: context.newId() },
      );
      store.create(target);
      const rows = itemsAt.all(source.name, at);
      store.atomically(() => {
        for (const row of rows) {
          // Items are validated when they are written.
          const item = JSON.parse(String(row['item'])) as Item;
          store.write(target.keyOf(item), undefined, item, new ConsumedCapacity(target, 'write'));
        }
      });
      const arnOf = (table: Table): string => `arn:aws:dynamodb:${region}:${account}:table/${table.name}`;
      return {
        TableDescription: {
          TableName: target.name,
          TableArn: arnOf(target),
          TableId: target.details.id,
          TableStatus: 'CREATING',
          CreationDateTime: target.details.createdAt / 1000,
          RestoreSummary: {
            SourceTableArn: arnOf(source),
            RestoreDateTime: at / 1000,
            RestoreInProgress: true,
          },
        },
      };
    },
  };
};

const historyTrigger = (change: string, row: string, before: string): string =>
  `CREATE TEMP TRIGGER IF NOT EXISTS dynamodb_history_${change} AFTER ${change} ON main.dynamodb_items
    WHEN EXISTS (SELECT 1 FROM dynamodb_recovery WHERE tbl = ${row}.tbl)
    BEGIN INSERT INTO dynamodb_history VALUES (${row}.tbl, ${row}.hash, ${row}.range, dynamodb_now(), ${before}); END;`;
