import type { SQLOutputValue } from 'node:sqlite';
import * as z from 'zod';
import { type Operation, ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { paged } from './rules.ts';
import { BusEvent, type EventsStore, parsePattern } from './store.ts';

const Create = z.strictObject({
  ArchiveName: z.string().regex(/^[.\-_A-Za-z0-9]{1,48}$/u),
  EventSourceArn: z.string(),
  Description: z.string().max(512).optional(),
  EventPattern: z.string().max(2048).optional(),
  RetentionDays: z.int().min(0).default(0),
  KmsKeyIdentifier: z.string().optional(),
});
const Change = Create.partial().extend({ ArchiveName: z.string() });
const Replay = z.strictObject({
  ReplayName: z.string().regex(/^[.\-_A-Za-z0-9]{1,64}$/u),
  EventSourceArn: z.string(),
  EventStartTime: z.number(),
  EventEndTime: z.number(),
  Destination: z.strictObject({ Arn: z.string(), FilterArns: z.array(z.string()).min(1).optional() }),
  Description: z.string().optional(),
});
const Page = {
  Limit: z.int().min(1).max(100).default(100),
  NextToken: z.string().default(''),
  NamePrefix: z.string().default(''),
};
const DAY_MS = 86_400_000;

interface Archive {
  readonly name: string;
  readonly bus: string;
  readonly pattern: string | null;
  readonly retentionDays: number;
  readonly description: string | null;
  readonly createdAt: number;
}

export interface Archives {
  readonly operations: Readonly<Record<string, Operation>>;
  /** Keeps an event in every archive of its bus that wants it. */
  keep(bus: string, event: BusEvent): void;
}

/** Archives of buses, and replays out of them: `send` hands an event to a bus, to the rules named alone. */
export const archives = (
  { db, clock, region, account, patterns }: ServiceContext,
  store: EventsStore,
  send: (bus: string, event: BusEvent, onlyRules: readonly string[] | undefined) => void,
): Archives => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS events_archives (name TEXT PRIMARY KEY, bus TEXT NOT NULL, pattern TEXT, retention_days INTEGER NOT NULL, description TEXT, created_at INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS events_archived (seq INTEGER PRIMARY KEY AUTOINCREMENT, archive TEXT NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS events_archived_at ON events_archived (archive, at);
    CREATE TABLE IF NOT EXISTS events_replays (name TEXT PRIMARY KEY, replay TEXT NOT NULL) STRICT;
  `);
  const statements = {
    archive: db.prepare('SELECT * FROM events_archives WHERE name = ?'),
    archives: db.prepare('SELECT * FROM events_archives ORDER BY name'),
    put: db.prepare('INSERT OR REPLACE INTO events_archives VALUES (?, ?, ?, ?, ?, ?)'),
    remove: db.prepare('DELETE FROM events_archives WHERE name = ?'),
    empty: db.prepare('DELETE FROM events_archived WHERE archive = ?'),
    keep: db.prepare('INSERT INTO events_archived (archive, at, event) VALUES (?, ?, ?)'),
    expire: db.prepare('DELETE FROM events_archived WHERE archive = ? AND at <= ?'),
    size: db.prepare(
      'SELECT count(*) AS events, coalesce(sum(length(event)), 0) AS bytes FROM events_archived WHERE archive = ?',
    ),
    between: db.prepare(
      'SELECT event FROM events_archived WHERE archive = ? AND at >= ? AND at < ? ORDER BY at, seq',
    ),
    replay: db.prepare('SELECT replay FROM events_replays WHERE name = ?'),
    replays: db.prepare('SELECT name, replay FROM events_replays ORDER BY name'),
    putReplay: db.prepare('INSERT OR REPLACE INTO events_replays VALUES (?, ?)'),
  };
  let known: readonly Archive[] | undefined;
  const all = (): readonly Archive[] => {
    known ??= statements.archives.all().map(archiveOf);
    return known;
  };
  const put = ({ name, bus, pattern, retentionDays, description, createdAt }: Archive): void => {
    statements.put.run(name, bus, pattern, retentionDays, description, createdAt);
    known = undefined;
  };
  const arnOf = (kind: 'archive' | 'replay', name: string): string =>
    `arn:aws:events:${region}:${account}:${kind}/${name}`;
  const missing = (kind: string, name: string): ServiceError =>
    new ServiceError('ResourceNotFoundException', `${kind} ${name} does not exist.`);
  /** The archive without what it no longer keeps. */
  const expect = (name: string): Archive => {
    const archive = all().find((one) => one.name === name);
    if (archive === undefined) throw missing('Archive', name);
    if (archive.retentionDays > 0) statements.expire.run(name, clock.now() - archive.retentionDays * DAY_MS);
    return archive;
  };
  const listed = (archive: Archive) => {
    const { events, bytes } = statements.size.get(archive.name) ?? {};
    return {
      ArchiveName: archive.name,
      EventSourceArn: store.busArn(archive.bus),
      State: 'ENABLED',
      RetentionDays: archive.retentionDays,
      SizeBytes: Number(bytes ?? 0),
      EventCount: Number(events ?? 0),
      CreationTime: archive.createdAt / 1000,
    };
  };
  const made = ({ name, createdAt }: Archive) => ({
    ArchiveArn: arnOf('archive', name),
    State: 'ENABLED',
    CreationTime: createdAt / 1000,
  });

  const operations: Record<string, Operation> = {
    CreateArchive(input) {
      const asked = Create.parse(input);
      const bus = store.expectBus(asked.EventSourceArn);
      if (asked.EventPattern !== undefined) parsePattern(patterns, asked.EventPattern);
      if (statements.archive.get(asked.ArchiveName))
        throw new ServiceError(
          'ResourceAlreadyExistsException',
          `Archive ${asked.ArchiveName} already exists.`,
        );
      const archive = {
        name: asked.ArchiveName,
        bus,
        pattern: asked.EventPattern ?? null,
        retentionDays: asked.RetentionDays,
        description: asked.Description ?? null,
        createdAt: clock.now(),
      };
      put(archive);
      return made(archive);
    },
    UpdateArchive(input) {
      const asked = Change.parse(input);
      const present = expect(asked.ArchiveName);
      if (asked.EventPattern !== undefined) parsePattern(patterns, asked.EventPattern);
      put({
        ...present,
        pattern: asked.EventPattern ?? present.pattern,
        retentionDays:
          input['RetentionDays'] === undefined ? present.retentionDays : (asked.RetentionDays ?? 0),
        description: asked.Description ?? present.description,
      });
      return made(present);
    },
    DescribeArchive(input) {
      const { ArchiveName } = z.looseObject({ ArchiveName: z.string() }).parse(input);
      const archive = expect(ArchiveName);
      return {
        ...listed(archive),
        ArchiveArn: arnOf('archive', ArchiveName),
        ...(archive.pattern !== null && { EventPattern: archive.pattern }),
        ...(archive.description !== null && { Description: archive.description }),
      };
    },
    ListArchives(input) {
      const asked = z.looseObject({ ...Page, EventSourceArn: z.string().optional() }).parse(input);
      const found = all().filter(
        ({ name, bus }) =>
          name.startsWith(asked.NamePrefix) &&
          (asked.EventSourceArn === undefined || store.busArn(bus) === asked.EventSourceArn),
      );
      const { page, ...next } = paged(found, ({ name }) => name, asked);
      return { Archives: page.map(({ name }) => listed(expect(name))), ...next };
    },
    DeleteArchive(input) {
      const { ArchiveName } = z.looseObject({ ArchiveName: z.string() }).parse(input);
      expect(ArchiveName);
      statements.empty.run(ArchiveName);
      statements.remove.run(ArchiveName);
      known = undefined;
    },
    StartReplay(input) {
      const asked = Replay.parse(input);
      if (statements.replay.get(asked.ReplayName))
        throw new ServiceError(
          'ResourceAlreadyExistsException',
          `Replay ${asked.ReplayName} already exists.`,
        );
      const archive = expect(asked.EventSourceArn.split('/').at(-1) ?? '');
      if (store.expectBus(asked.Destination.Arn) !== archive.bus)
        throw new ServiceError(
          'ValidationException',
          'Parameter Destination.Arn is not valid. Reason: an archive is replayed to the bus it was made from.',
        );
      if (asked.EventStartTime >= asked.EventEndTime)
        throw new ServiceError(
          'ValidationException',
          'Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.',
        );
      const rows = statements.between.all(
        archive.name,
        asked.EventStartTime * 1000,
        asked.EventEndTime * 1000,
      );
      for (const { event } of rows) {
        const replayed = { ...BusEvent.parse(JSON.parse(String(event))), 'replay-name': asked.ReplayName };
        send(archive.bus, replayed, asked.Destination.FilterArns);
      }
      // On one machine a replay has handed over its last event when it is answered.
      const now = clock.now() / 1000;
      statements.putReplay.run(
        asked.ReplayName,
        JSON.stringify({
          ...asked,
          ReplayArn: arnOf('replay', asked.ReplayName),
          State: 'COMPLETED',
          ReplayStartTime: now,
          ReplayEndTime: now,
          EventLastReplayedTime: asked.EventEndTime,
        }),
      );
      return { ReplayArn: arnOf('replay', asked.ReplayName), State: 'STARTING', ReplayStartTime: now };
    },
    DescribeReplay(input) {
      const { ReplayName } = z.looseObject({ ReplayName: z.string() }).parse(input);
      const row = statements.replay.get(ReplayName);
      if (row === undefined) throw missing('Replay', ReplayName);
      return JSON.parse(String(row['replay']));
    },
    ListReplays(input) {
      const asked = z.looseObject(Page).parse(input);
      const found = statements.replays
        .all()
        .map(({ name, replay }) => ({ name: String(name), replay: JSON.parse(String(replay)) as unknown }))
        .filter(({ name }) => name.startsWith(asked.NamePrefix));
      const { page, ...next } = paged(found, ({ name }) => name, asked);
      return { Replays: page.map(({ replay }) => replay), ...next };
    },
  };
  return {
    operations,
    keep(bus, event) {
      for (const archive of all()) {
        if (archive.bus !== bus) continue;
        if (archive.pattern !== null && !patterns.matches(JSON.parse(archive.pattern), event)) continue;
        statements.keep.run(archive.name, Date.parse(event.time), JSON.stringify(event));
      }
    },
  };
};

const archiveOf = (row: Record<string, SQLOutputValue>): Archive => ({
  name: String(row['name']),
  bus: String(row['bus']),
  pattern: row['pattern'] === null ? null : String(row['pattern']),
  retentionDays: Number(row['retention_days']),
  description: row['description'] === null ? null : String(row['description']),
  createdAt: Number(row['created_at']),
});
