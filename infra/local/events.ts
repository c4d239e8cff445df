import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { type Pattern, parsePattern, patternIndex, usesWildcard } from '../../core/pattern/index.ts';
import { deliveryFault } from './delivery.ts';
import { inputFor } from './input-transformer.ts';
import { answerJson, jsonOperation, type Operation, ServiceError } from './json.ts';
import type { AwsService, Surroundings } from './service.ts';

const RuleInput = z.strictObject({
  Name: z.string().regex(/^[.\-_A-Za-z0-9]{1,64}$/u),
  EventBusName: z.string().default('default'),
  EventPattern: z.string().max(2048, 'Event pattern is not valid. Reason: it has more than 2048 characters'),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Description: z.string().optional(),
  RoleArn: z.string().optional(),
  Tags: z.array(z.unknown()).optional(),
});

const Target = z.strictObject({
  Id: z.string(),
  Arn: z.string(),
  RoleArn: z.string().optional(),
  Input: z.string().optional(),
  InputPath: z.string().optional(),
  InputTransformer: z
    .object({ InputPathsMap: z.record(z.string(), z.string()).optional(), InputTemplate: z.string() })
    .optional(),
  RetryPolicy: z
    .object({
      MaximumRetryAttempts: z.int().min(0).max(185).optional(),
      MaximumEventAgeInSeconds: z.int().min(60).max(86_400).optional(),
    })
    .optional(),
  DeadLetterConfig: z.object({ Arn: z.string().optional() }).optional(),
});
export type Target = z.infer<typeof Target>;

const Entry = z.strictObject({
  Source: z.string(),
  DetailType: z.string(),
  Detail: z.string(),
  EventBusName: z.string().default('default'),
  Time: z.number().optional(),
  Resources: z.array(z.string()).optional(),
  TraceHeader: z.string().optional(),
});

const StoredRule = z.object({
  pattern: z.string(),
  state: z.enum(['ENABLED', 'DISABLED']),
  description: z.string().nullable(),
  targets: z.string(),
});
const Delivery = z.object({
  seq: z.number(),
  target: z.string(),
  payload: z.string(),
  source: z.string(),
  attempts: z.number(),
  due: z.number(),
  since: z.number(),
});

const MOST_RULES = 300;
const MOST_WILDCARD_RULES = 30;
const MOST_TARGETS = 5;
const ENTRY_LIMIT = 256 * 1024;
const busName = (nameOrArn: string): string => nameOrArn.split('/').at(-1) ?? nameOrArn;

/** EventBridge on one machine: buses, rules with the published pattern language, targets with retries and dead letters. */
export const events = ({ db, clock, newId, region, account, deliver }: Surroundings): AwsService => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS events_buses (name TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS events_rules (bus TEXT NOT NULL, name TEXT NOT NULL, pattern TEXT NOT NULL, state TEXT NOT NULL, description TEXT, targets TEXT NOT NULL DEFAULT '[]', PRIMARY KEY (bus, name)) STRICT;
    CREATE TABLE IF NOT EXISTS events_deliveries (seq INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, payload TEXT NOT NULL, source TEXT NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL, since INTEGER NOT NULL) STRICT;
    INSERT OR IGNORE INTO events_buses (name) VALUES ('default');
  `);
  const arnOf = (bus: string, rule: string): string =>
    `arn:aws:events:${region}:${account}:rule/${bus === 'default' ? '' : `${bus}/`}${rule}`;
  const busArn = (bus: string): string => `arn:aws:events:${region}:${account}:event-bus/${bus}`;
  const indexes = new Map<string, ReturnType<typeof patternIndex<string>>>();
  const statements = {
    rule: db.prepare(
      'SELECT pattern, state, description, targets FROM events_rules WHERE bus = ? AND name = ?',
    ),
    queue: db.prepare(
      'INSERT INTO events_deliveries (target, payload, source, attempts, due, since) VALUES (?, ?, ?, 0, ?, ?)',
    ),
    done: db.prepare('DELETE FROM events_deliveries WHERE seq = ?'),
    later: db.prepare('UPDATE events_deliveries SET attempts = ?, due = ? WHERE seq = ?'),
    delivery: db.prepare(
      'SELECT seq, target, payload, source, attempts, due, since FROM events_deliveries WHERE seq = ?',
    ),
  };

  const expectBus = (nameOrArn: string): string => {
    const name = busName(nameOrArn);
    if (!db.prepare('SELECT 1 FROM events_buses WHERE name = ?').get(name))
      throw new ServiceError('ResourceNotFoundException', `Event bus ${name} does not exist.`);
    return name;
  };
  const ruleOf = (bus: string, name: string): z.infer<typeof StoredRule> => {
    const row = statements.rule.get(bus, name);
    if (row === undefined)
      throw new ServiceError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus ${bus}.`);
    return StoredRule.parse(row);
  };
  const targetsOf = (rule: z.infer<typeof StoredRule>): Target[] =>
    z.array(Target).parse(JSON.parse(rule.targets));
  const rulesOf = (bus: string): { name: string; pattern: string; state: string }[] =>
    db
      .prepare('SELECT name, pattern, state FROM events_rules WHERE bus = ? ORDER BY name')
      .all(bus)
      .map((row) => ({
        name: String(row['name']),
        pattern: String(row['pattern']),
        state: String(row['state']),
      }));

  /** The enabled rules of a bus, ready to match; built anew after a rule has changed. */
  const indexOf = (bus: string): ReturnType<typeof patternIndex<string>> => {
    const known = indexes.get(bus);
    if (known) return known;
    const index = patternIndex<string>();
    for (const { name, pattern, state } of rulesOf(bus))
      if (state === 'ENABLED') index.add(name, parsed(pattern), name);
    indexes.set(bus, index);
    return index;
  };

  const attempt = async (seq: number): Promise<void> => {
    const row = statements.delivery.get(seq);
    if (row === undefined) return;
    const { target: text, payload, source, attempts, since } = Delivery.parse(row);
    const target = Target.parse(JSON.parse(text));
    try {
      await deliver({ arn: target.Arn, payload, source, principal: 'events.amazonaws.com' });
      statements.done.run(seq);
    } catch (error) {
      const next = clock.now() + Math.min(60_000, 1000 * 2 ** attempts);
      const spent =
        deliveryFault(error).final ||
        attempts >= (target.RetryPolicy?.MaximumRetryAttempts ?? 185) ||
        next - since > (target.RetryPolicy?.MaximumEventAgeInSeconds ?? 86_400) * 1000;
      if (!spent) {
        statements.later.run(attempts + 1, next, seq);
        clock.at(next, () => attempt(seq));
        return;
      }
      statements.done.run(seq);
      const dead = target.DeadLetterConfig?.Arn;
      if (dead === undefined)
        throw new Error(
          `An event for ${target.Arn} was lost after ${attempts} retries: its target has no dead-letter queue.`,
          { cause: error },
        );
      await deliver({ arn: dead, payload, source, principal: 'events.amazonaws.com' });
    }
  };

  const publish = (entry: z.infer<typeof Entry>): string => {
    const bus = expectBus(entry.EventBusName);
    const id = newId();
    const now = clock.now();
    const event = {
      version: '0',
      id,
      'detail-type': entry.DetailType,
      source: entry.Source,
      account,
      time: new Date(entry.Time === undefined ? now : entry.Time * 1000)
        .toISOString()
        .replace(/\.\d{3}Z$/u, 'Z'),
      region,
      resources: entry.Resources ?? [],
      detail: JSON.parse(entry.Detail) as unknown,
    };
    for (const name of indexOf(bus).match(event)) {
      const source = arnOf(bus, name);
      for (const target of targetsOf(ruleOf(bus, name))) {
        const payload = inputFor(target, event, {
          ruleArn: source,
          ruleName: name,
          ingestionTime: new Date(now).toISOString(),
        });
        const { lastInsertRowid } = statements.queue.run(JSON.stringify(target), payload, source, now, now);
        clock.at(now, () => attempt(Number(lastInsertRowid)));
      }
    }
    return id;
  };

  const Named = z.looseObject({ Name: z.string(), EventBusName: z.string().default('default') });
  const OfRule = z.looseObject({ Rule: z.string(), EventBusName: z.string().default('default') });
  const setState = (input: unknown, state: string): void => {
    const { Name, EventBusName } = Named.parse(input);
    const bus = expectBus(EventBusName);
    ruleOf(bus, Name);
    db.prepare('UPDATE events_rules SET state = ? WHERE bus = ? AND name = ?').run(state, bus, Name);
    indexes.delete(bus);
  };
  const setTargets = (bus: string, rule: string, targets: readonly Target[]): void => {
    db.prepare('UPDATE events_rules SET targets = ? WHERE bus = ? AND name = ?').run(
      JSON.stringify(targets),
      bus,
      rule,
    );
  };

  const operations: Record<string, Operation> = {
    CreateEventBus(input) {
      const { Name } = z.looseObject({ Name: z.string() }).parse(input);
      if (db.prepare('INSERT OR IGNORE INTO events_buses (name) VALUES (?)').run(Name).changes === 0)
        throw new ServiceError('ResourceAlreadyExistsException', `Event bus ${Name} already exists.`);
      return { EventBusArn: busArn(Name) };
    },
    DescribeEventBus(input) {
      const name = expectBus(z.looseObject({ Name: z.string().default('default') }).parse(input).Name);
      return { Name: name, Arn: busArn(name) };
    },
    DeleteEventBus(input) {
      const name = busName(z.looseObject({ Name: z.string() }).parse(input).Name);
      if (rulesOf(name).length > 0)
        throw new ServiceError(
          'ValidationException',
          `Event bus ${name} can not be deleted since it has rules.`,
        );
      db.prepare('DELETE FROM events_buses WHERE name = ?').run(name);
    },
    ListEventBuses: () => ({
      EventBuses: db
        .prepare('SELECT name FROM events_buses')
        .all()
        .map((row) => ({ Name: row['name'], Arn: busArn(String(row['name'])) })),
    }),
    PutRule(input) {
      const rule = RuleInput.parse(input);
      const bus = expectBus(rule.EventBusName);
      parsed(rule.EventPattern);
      const others = rulesOf(bus).filter(({ name }) => name !== rule.Name);
      if (others.length >= MOST_RULES)
        throw new ServiceError(
          'LimitExceededException',
          'The requested resource exceeds the maximum number allowed.',
        );
      const wild = (pattern: string): boolean => usesWildcard(JSON.parse(pattern));
      if (
        wild(rule.EventPattern) &&
        others.filter(({ pattern }) => wild(pattern)).length >= MOST_WILDCARD_RULES
      ) {
        throw new ServiceError(
          'LimitExceededException',
          `More than ${MOST_WILDCARD_RULES} rules with wildcards on one bus.`,
        );
      }
      db.prepare(
        'INSERT INTO events_rules (bus, name, pattern, state, description) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET pattern = excluded.pattern, state = excluded.state, description = excluded.description',
      ).run(bus, rule.Name, rule.EventPattern, rule.State, rule.Description ?? null);
      indexes.delete(bus);
      return { RuleArn: arnOf(bus, rule.Name) };
    },
    DescribeRule(input) {
      const { Name, EventBusName } = Named.parse(input);
      const bus = expectBus(EventBusName);
      const rule = ruleOf(bus, Name);
      return {
        Name,
        Arn: arnOf(bus, Name),
        EventPattern: rule.pattern,
        State: rule.state,
        Description: rule.description ?? undefined,
        EventBusName: bus,
      };
    },
    DeleteRule(input) {
      const { Name, EventBusName } = Named.parse(input);
      const bus = expectBus(EventBusName);
      const row = statements.rule.get(bus, Name);
      if (row && targetsOf(StoredRule.parse(row)).length > 0)
        throw new ServiceError('ValidationException', "Rule can't be deleted since it has targets.");
      db.prepare('DELETE FROM events_rules WHERE bus = ? AND name = ?').run(bus, Name);
      indexes.delete(bus);
    },
    EnableRule: (input) => setState(input, 'ENABLED'),
    DisableRule: (input) => setState(input, 'DISABLED'),
    ListRules(input) {
      const { NamePrefix = '', EventBusName } = z
        .looseObject({ NamePrefix: z.string().optional(), EventBusName: z.string().default('default') })
        .parse(input);
      const bus = expectBus(EventBusName);
      const found = rulesOf(bus).filter(({ name }) => name.startsWith(NamePrefix));
      return {
        Rules: found.map(({ name, pattern, state }) => ({
          Name: name,
          Arn: arnOf(bus, name),
          EventPattern: pattern,
          State: state,
          EventBusName: bus,
        })),
      };
    },
    PutTargets(input) {
      const { Rule, EventBusName } = OfRule.parse(input);
      const bus = expectBus(EventBusName);
      const given = z.array(Target).min(1).parse(input['Targets']);
      const kept = targetsOf(ruleOf(bus, Rule)).filter(({ Id }) => !given.some((one) => one.Id === Id));
      if (kept.length + given.length > MOST_TARGETS)
        throw new ServiceError('LimitExceededException', `A rule can have ${MOST_TARGETS} targets.`);
      setTargets(bus, Rule, [...kept, ...given]);
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
    RemoveTargets(input) {
      const { Rule, EventBusName } = OfRule.parse(input);
      const bus = expectBus(EventBusName);
      const ids = z.array(z.string()).parse(input['Ids']);
      setTargets(
        bus,
        Rule,
        targetsOf(ruleOf(bus, Rule)).filter(({ Id }) => !ids.includes(Id)),
      );
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
    ListTargetsByRule(input) {
      const { Rule, EventBusName } = OfRule.parse(input);
      return { Targets: targetsOf(ruleOf(expectBus(EventBusName), Rule)) };
    },
    PutEvents(input) {
      const entries = z.array(z.unknown()).min(1).max(10).parse(input['Entries']);
      const results = entries.map((raw) => {
        try {
          const entry = Entry.parse(raw);
          if (Buffer.byteLength(entry.Detail) + entry.Source.length + entry.DetailType.length > ENTRY_LIMIT) {
            return {
              ErrorCode: 'ValidationException',
              ErrorMessage: 'Total size of the entry is over the limit.',
            };
          }
          return { EventId: publish(entry) };
        } catch (error) {
          if (error instanceof SyntaxError)
            return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
          if (error instanceof z.ZodError)
            return { ErrorCode: 'InvalidArgument', ErrorMessage: z.prettifyError(error) };
          throw error;
        }
      });
      return { FailedEntryCount: results.filter((one) => 'ErrorCode' in one).length, Entries: results };
    },
    TestEventPattern(input) {
      const { EventPattern, Event } = z.object({ EventPattern: z.string(), Event: z.string() }).parse(input);
      const index = patternIndex<true>();
      index.add('', parsed(EventPattern), true);
      return { Result: index.match(z.looseObject({}).parse(JSON.parse(Event))).length > 0 };
    },
    TagResource: () => ({}),
  };

  for (const row of db.prepare('SELECT seq, due FROM events_deliveries').all())
    clock.at(Number(row['due']), () => attempt(Number(row['seq'])));
  return {
    signingName: 'events',
    operation: jsonOperation,
    handle: (request) => answerJson(request, '1.1', operations),
  };
};

const parsed = (text: string): Pattern => {
  try {
    return parsePattern(JSON.parse(text));
  } catch (error) {
    if (error instanceof HubError) throw new ServiceError('InvalidEventPatternException', error.message);
    throw new ServiceError(
      'InvalidEventPatternException',
      'Event pattern is not valid. Reason: it is not JSON',
    );
  }
};
