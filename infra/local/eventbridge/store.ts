import type { SQLOutputValue } from 'node:sqlite';
import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import type { EventPatterns, PatternIndex } from './pattern.ts';
import { MOST_RETRIES, OLDEST_SECONDS } from './retries.ts';

export const Target = z.strictObject({
  Id: z.string().regex(/^[.\-_A-Za-z0-9]{1,64}$/u),
  Arn: z.string(),
  RoleArn: z.string().optional(),
  Input: z.string().max(8192).optional(),
  InputPath: z.string().max(256).optional(),
  InputTransformer: z
    .strictObject({
      InputPathsMap: z.record(z.string(), z.string()).optional(),
      InputTemplate: z.string().min(1).max(8192),
    })
    .optional(),
  RetryPolicy: z
    .strictObject({
      MaximumRetryAttempts: z.int().min(0).max(MOST_RETRIES).optional(),
      MaximumEventAgeInSeconds: z.int().min(60).max(OLDEST_SECONDS).optional(),
    })
    .optional(),
  DeadLetterConfig: z.strictObject({ Arn: z.string().optional() }).optional(),
});
export type Target = z.infer<typeof Target>;

export const State = z.enum(['ENABLED', 'DISABLED']);

/** A stored rule. It has a pattern, a schedule, or both. */
export interface Rule {
  readonly bus: string;
  readonly name: string;
  readonly pattern: string | null;
  readonly schedule: string | null;
  readonly state: z.infer<typeof State>;
  readonly description: string | null;
  readonly role: string | null;
  readonly targets: readonly Target[];
  /** The start of the schedule, in epoch milliseconds. */
  readonly since: number;
}

/** An event in EventBridge's envelope. */
export const BusEvent = z.looseObject({
  version: z.string(),
  id: z.string(),
  'detail-type': z.string(),
  source: z.string(),
  account: z.string(),
  time: z.string(),
  region: z.string(),
  resources: z.array(z.string()),
  detail: z.unknown(),
});
export type BusEvent = z.infer<typeof BusEvent>;

/** The pattern that a text holds, validated. @throws ServiceError `InvalidEventPatternException`. */
export const parsePattern = (patterns: EventPatterns, text: string): unknown => {
  try {
    const pattern: unknown = JSON.parse(text);
    patterns.validate(pattern);
    return pattern;
  } catch (error) {
    const reason =
      error instanceof Error && !(error instanceof SyntaxError)
        ? error.message.replace(/^Event pattern is not valid\. /u, '')
        : 'it is not JSON';
    throw new ServiceError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${reason}`);
  }
};

export interface EventsStore {
  /** The name of an existing bus, by its name or ARN. @throws ServiceError `ResourceNotFoundException`. */
  expectBus(nameOrArn: string): string;
  buses(): string[];
  addBus(name: string): boolean;
  find(bus: string, name: string): Rule | undefined;
  /** @throws ServiceError `ResourceNotFoundException`. */
  expectRule(bus: string, name: string): Rule;
  rules(bus: string): Rule[];
  put(rule: Rule): void;
  remove(bus: string, name: string): void;
  /** The enabled rules of a bus that match an event. */
  matching(bus: string, event: object): Rule[];
  ruleArn(bus: string, name: string): string;
  busArn(bus: string): string;
}

/** Buses and rules in SQLite; the patterns of a bus are indexed in memory. */
export const eventsStore = ({ db, region, account, patterns }: ServiceContext): EventsStore => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS events_buses (name TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS events_bus_rules (bus TEXT NOT NULL, name TEXT NOT NULL, pattern TEXT, schedule TEXT, state TEXT NOT NULL, description TEXT, role TEXT, targets TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (bus, name)) STRICT;
    INSERT OR IGNORE INTO events_buses (name) VALUES ('default');
  `);
  const statements = {
    bus: db.prepare('SELECT 1 FROM events_buses WHERE name = ?'),
    buses: db.prepare('SELECT name FROM events_buses ORDER BY name'),
    addBus: db.prepare('INSERT OR IGNORE INTO events_buses (name) VALUES (?)'),
    rule: db.prepare('SELECT * FROM events_bus_rules WHERE bus = ? AND name = ?'),
    rules: db.prepare('SELECT * FROM events_bus_rules WHERE bus = ? ORDER BY name'),
    put: db.prepare('INSERT OR REPLACE INTO events_bus_rules VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    remove: db.prepare('DELETE FROM events_bus_rules WHERE bus = ? AND name = ?'),
  };
  const indexes = new Map<string, PatternIndex<Rule>>();
  const rules = (bus: string): Rule[] => statements.rules.all(bus).map(ruleOf);
  const indexOf = (bus: string): PatternIndex<Rule> => {
    const known = indexes.get(bus);
    if (known) return known;
    const index = patterns.index<Rule>();
    for (const rule of rules(bus))
      if (rule.state === 'ENABLED' && rule.pattern !== null)
        index.add(rule.name, JSON.parse(rule.pattern), rule);
    indexes.set(bus, index);
    return index;
  };
  const find = (bus: string, name: string): Rule | undefined => {
    const row = statements.rule.get(bus, name);
    return row && ruleOf(row);
  };
  return {
    expectBus(nameOrArn) {
      const name = nameOrArn.replace(/^arn:[^/]*:event-bus\//u, '');
      if (statements.bus.get(name)) return name;
      throw new ServiceError('ResourceNotFoundException', `Event bus ${name} does not exist.`);
    },
    buses: () => statements.buses.all().map(({ name }) => String(name)),
    addBus: (name) => statements.addBus.run(name).changes > 0,
    find,
    expectRule(bus, name) {
      const rule = find(bus, name);
      if (rule) return rule;
      throw new ServiceError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus ${bus}.`);
    },
    rules,
    put({ bus, name, pattern, schedule, state, description, role, targets, since }) {
      const text = JSON.stringify(targets);
      statements.put.run(bus, name, pattern, schedule, state, description, role, text, since);
      indexes.delete(bus);
    },
    remove(bus, name) {
      statements.remove.run(bus, name);
      indexes.delete(bus);
    },
    matching: (bus, event) => indexOf(bus).match(event),
    ruleArn: (bus, name) =>
      `arn:aws:events:${region}:${account}:rule/${bus === 'default' ? '' : `${bus}/`}${name}`,
    busArn: (bus) => `arn:aws:events:${region}:${account}:event-bus/${bus}`,
  };
};

const textOf = (value: SQLOutputValue | undefined): string | null =>
  value === null || value === undefined ? null : String(value);

const ruleOf = (row: Record<string, SQLOutputValue>): Rule => ({
  bus: String(row['bus']),
  name: String(row['name']),
  pattern: textOf(row['pattern']),
  schedule: textOf(row['schedule']),
  state: State.parse(row['state']),
  description: textOf(row['description']),
  role: textOf(row['role']),
  targets: z.array(Target).parse(JSON.parse(String(row['targets']))),
  since: Number(row['since']),
});
