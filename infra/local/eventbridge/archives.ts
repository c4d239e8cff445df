import type { SQLOutputValue } from 'node:sqlite';
import * as z from 'zod';
import { type Operation, ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { type BusEvent, type EventsStore, parsePattern } from './store.ts';

const CreateInput = z.strictObject({
  ArchiveName: z.string().regex(/^[.\-_A-Za-z0-9]{1,48}$/u),
  EventSourceArn: z.string(),
  Description: z.string().max(512).optional(),
  EventPattern: z.string().max(2048).optional(),
  RetentionDays: z.int().min(0).optional(),
  KmsKeyIdentifier: z.string().optional(),
});
const UpdateInput = CreateInput.partial().extend({ ArchiveName: z.string() });
const Named = z.looseObject({ ArchiveName: z.string() });
const DAY_MS = 86_400_000;

interface Archive {
  readonly name: string;
  readonly bus: string;
  readonly pattern: string | null;
  /** 0: without limit. */
  readonly retentionDays: number;
  readonly description: string | null;
  readonly createdAt: number;
}

export interface Archives {
  readonly operations: Readonly<Record<string, Operation>>;
  /** Stores an event in every archive of its bus whose pattern it matches. */
  store(bus: string, event: BusEvent): void;
}

/** Archives of buses. They store and expire events; there are no replays. */
export const archives = (context: ServiceContext, store: EventsStore): Archives => {
  const { clock, region, account, patterns } = context;
  const stored = archiveStore(context);
  const expect = (name: string): Archive => {
    const archive = stored.find(name);
    if (archive === undefined)
      throw new ServiceError('ResourceNotFoundException', `Archive ${name} does not exist.`);
    return archive;
  };
  const summary = ({ name, createdAt }: Archive) => ({
    ArchiveArn: `arn:aws:events:${region}:${account}:archive/${name}`,
    State: 'ENABLED',
    CreationTime: createdAt / 1000,
  });
  return {
    operations: {
      CreateArchive(input) {
        const { ArchiveName: name, EventSourceArn, EventPattern, ...settings } = CreateInput.parse(input);
        const bus = store.expectBus(EventSourceArn);
        if (EventPattern !== undefined) parsePattern(patterns, EventPattern);
        if (stored.find(name))
          throw new ServiceError('ResourceAlreadyExistsException', `Archive ${name} already exists.`);
        const archive = {
          ...{ name, bus, pattern: EventPattern ?? null, createdAt: clock.now() },
          retentionDays: settings.RetentionDays ?? 0,
          description: settings.Description ?? null,
        };
        stored.put(archive);
        return summary(archive);
      },
      UpdateArchive(input) {
        const { ArchiveName, EventPattern, RetentionDays, Description } = UpdateInput.parse(input);
        const present = expect(ArchiveName);
        if (EventPattern !== undefined) parsePattern(patterns, EventPattern);
        stored.put({
          ...present,
          pattern: EventPattern ?? present.pattern,
          retentionDays: RetentionDays ?? present.retentionDays,
          description: Description ?? present.description,
        });
        return summary(present);
      },
      DescribeArchive(input) {
        const archive = expect(Named.parse(input).ArchiveName);
        const { name, bus, pattern, description, retentionDays } = archive;
        if (retentionDays > 0) stored.expire(name, clock.now() - retentionDays * DAY_MS);
        const { events, bytes } = stored.size(name);
        return {
          ...summary(archive),
          ...{ ArchiveName: name, EventSourceArn: store.busArn(bus), RetentionDays: retentionDays },
          ...{ SizeBytes: bytes, EventCount: events },
          ...(pattern !== null && { EventPattern: pattern }),
          ...(description !== null && { Description: description }),
        };
      },
      DeleteArchive(input) {
        stored.remove(expect(Named.parse(input).ArchiveName).name);
      },
    },
    store(bus, event) {
      for (const { name, pattern, ...archive } of stored.all())
        if (archive.bus === bus && (pattern === null || patterns.matches(JSON.parse(pattern), event)))
          stored.add(name, event);
    },
  };
};

/** Archives and their events in SQLite; the archives are cached in memory. */
const archiveStore = ({ db }: ServiceContext) => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS events_archives (name TEXT PRIMARY KEY, bus TEXT NOT NULL, pattern TEXT, retention_days INTEGER NOT NULL, description TEXT, created_at INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS events_archived (seq INTEGER PRIMARY KEY AUTOINCREMENT, archive TEXT NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS events_archived_at ON events_archived (archive, at);
  `);
  const archivesByName = db.prepare('SELECT * FROM events_archives ORDER BY name');
  const put = db.prepare('INSERT OR REPLACE INTO events_archives VALUES (?, ?, ?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM events_archives WHERE name = ?');
  const empty = db.prepare('DELETE FROM events_archived WHERE archive = ?');
  const add = db.prepare('INSERT INTO events_archived (archive, at, event) VALUES (?, ?, ?)');
  const expire = db.prepare('DELETE FROM events_archived WHERE archive = ? AND at <= ?');
  const size = db.prepare(
    'SELECT count(*) AS events, coalesce(sum(length(event)), 0) AS bytes FROM events_archived WHERE archive = ?',
  );
  let cached: readonly Archive[] | undefined;
  const all = (): readonly Archive[] => {
    cached ??= archivesByName.all().map(archiveOf);
    return cached;
  };
  return {
    all,
    find: (name: string) => all().find((one) => one.name === name),
    put({ name, bus, pattern, retentionDays, description, createdAt }: Archive): void {
      put.run(name, bus, pattern, retentionDays, description, createdAt);
      cached = undefined;
    },
    remove(name: string): void {
      empty.run(name);
      remove.run(name);
      cached = undefined;
    },
    add(name: string, event: BusEvent): void {
      add.run(name, Date.parse(event.time), JSON.stringify(event));
    },
    /** Removes the events of an instant and before. */
    expire(name: string, until: number): void {
      expire.run(name, until);
    },
    size(name: string): { readonly events: number; readonly bytes: number } {
      const { events = 0, bytes = 0 } = size.get(name) ?? {};
      return { events: Number(events), bytes: Number(bytes) };
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
