import * as z from 'zod';
import { answerJson, jsonOperation, type Operation, ServiceError } from '../protocol/json.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';
import { transaction } from '../protocol/transaction.ts';
import { archives } from './archives.ts';
import { deliveries, type EventsChaos } from './deliveries.ts';
import { rules } from './rules.ts';
import { type BusEvent, type EventsStore, eventsStore, parsePattern } from './store.ts';

export interface Events extends AwsService {
  /** Hands an event to a bus on behalf of another part: a rule whose target is a bus, or a schedule. */
  accept(busArn: string, event: unknown): void;
}

const MOST_ENTRIES = 10;
/** The documented limit of a request, all entries together. */
const REQUEST_BYTES = 256 * 1024;
const TIME_BYTES = 14;

const Entry = z.strictObject({
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  EventBusName: z.string().default('default'),
  Time: z.number().optional(),
  Resources: z.array(z.string()).default([]),
  TraceHeader: z.string().optional(),
});
type Entry = z.infer<typeof Entry>;

const Handed = z.looseObject({
  id: z.string().optional(),
  source: z.string(),
  'detail-type': z.string(),
  time: z.string().optional(),
  resources: z.array(z.string()).default([]),
  detail: z.unknown(),
});

/** EventBridge on one machine: buses, rules with the published pattern language, targets, archives. */
export const events = (surroundings: ServiceContext, chaos: EventsChaos = {}): Events => {
  const { db, clock, newId, region, account, patterns } = surroundings;
  const store = eventsStore(surroundings);
  const { queue } = deliveries(surroundings, store, chaos);
  const timeOf = (instant: number): string => new Date(instant).toISOString().replace(/\.\d{3}Z$/u, 'Z');

  const send = (bus: string, event: BusEvent, onlyRules?: readonly string[]): void => {
    for (const rule of store.matching(bus, event))
      if (onlyRules?.includes(store.ruleArn(bus, rule.name)) !== false) queue(rule, event);
  };
  const { operations: archiving, keep } = archives(surroundings, store, send);
  const publish = (bus: string, event: BusEvent): void => {
    keep(bus, event);
    send(bus, event);
  };
  const envelope = (
    fields: Pick<BusEvent, 'source' | 'detail-type' | 'resources' | 'detail'> & {
      readonly id?: string | undefined;
      readonly time?: string | undefined;
    },
  ): BusEvent => ({
    version: '0',
    id: fields.id ?? newId(),
    'detail-type': fields['detail-type'],
    source: fields.source,
    account,
    time: fields.time ?? timeOf(clock.now()),
    region,
    resources: fields.resources,
    detail: fields.detail,
  });
  const tick = (rule: Parameters<Parameters<typeof rules>[2]>[0]): void => {
    const about = { source: 'aws.events', 'detail-type': 'Scheduled Event' };
    queue(rule, envelope({ ...about, resources: [store.ruleArn(rule.bus, rule.name)], detail: {} }));
  };

  const operations: Readonly<Record<string, Operation>> = {
    ...buses(store),
    ...rules(surroundings, store, tick),
    ...archiving,
    PutEvents(input) {
      const entries = z.array(Entry).min(1).max(MOST_ENTRIES).parse(input['Entries']);
      if (entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > REQUEST_BYTES) {
        throw new ServiceError(
          'ValidationException',
          'Total size of the entries in the request is over the limit.',
        );
      }
      const results = transaction(db, () =>
        entries.map((entry) => {
          const event = eventOf(entry);
          if ('ErrorCode' in event) return event;
          const bus = store.expectBus(entry.EventBusName);
          const time = entry.Time === undefined ? undefined : timeOf(entry.Time * 1000);
          const whole = envelope({ ...event, time });
          publish(bus, whole);
          return { EventId: whole.id };
        }),
      );
      return { FailedEntryCount: results.filter((one) => 'ErrorCode' in one).length, Entries: results };
    },
    /** What a partner does, whose event source and whose bus have the same name. */
    PutPartnerEvents(input) {
      const entries = z.array(Entry).min(1).max(MOST_ENTRIES).parse(input['Entries']);
      const results = transaction(db, () =>
        entries.map(({ Source = '', Time, ...entry }) => {
          const event = eventOf({ ...entry, Source: 'partner' });
          if ('ErrorCode' in event) return event;
          const bus = store.expectBus(isPartner(Source) ? Source : '');
          const time = Time === undefined ? undefined : timeOf(Time * 1000);
          const whole = envelope({ ...event, source: Source, time });
          publish(bus, whole);
          return { EventId: whole.id };
        }),
      );
      return { FailedEntryCount: results.filter((one) => 'ErrorCode' in one).length, Entries: results };
    },
    TestEventPattern(input) {
      const { EventPattern, Event } = z.object({ EventPattern: z.string(), Event: z.string() }).parse(input);
      const pattern = parsePattern(patterns, EventPattern);
      return { Result: patterns.matches(pattern, z.looseObject({}).parse(JSON.parse(Event))) };
    },
    TagResource: () => ({}),
    UntagResource: () => ({}),
    ListTagsForResource: () => ({ Tags: [] }),
  };
  return {
    signingName: 'events',
    operation: jsonOperation,
    handle: (request) => answerJson(request, '1.1', operations),
    accept(busArn, event) {
      transaction(db, () => publish(store.expectBus(busArn), envelope(Handed.parse(event))));
    },
  };
};

/** What an entry counts for: 14 bytes for its time, and its texts in UTF-8. */
const sizeOf = ({ Time, Source = '', DetailType = '', Detail = '', Resources }: Entry): number =>
  (Time === undefined ? 0 : TIME_BYTES) +
  [Source, DetailType, Detail, ...Resources].reduce((sum, text) => sum + Buffer.byteLength(text), 0);

/** The event of an entry, or why this entry fails while the others go on. */
const eventOf = (
  entry: Entry,
):
  | Pick<BusEvent, 'source' | 'detail-type' | 'resources' | 'detail'>
  | { readonly ErrorCode: string; readonly ErrorMessage: string } => {
  const { Source, DetailType, Detail, Resources } = entry;
  for (const name of ['Source', 'DetailType', 'Detail'] as const) {
    if (!entry[name])
      return {
        ErrorCode: 'InvalidArgument',
        ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
      };
  }
  if (Source?.startsWith('aws.') === true)
    return {
      ErrorCode: 'NotAuthorizedForSourceException',
      ErrorMessage: 'Not authorized for the source.',
    };
  const malformed = { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  try {
    const detail: unknown = JSON.parse(Detail ?? '');
    if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) return malformed;
    return { source: Source ?? '', 'detail-type': DetailType ?? '', resources: Resources, detail };
  } catch {
    return malformed;
  }
};

const Named = z.looseObject({ Name: z.string() });

const isPartner = (name: string): boolean => /^aws\.partner\/[\w./-]{1,240}$/u.test(name);

const buses = (store: EventsStore): Readonly<Record<string, Operation>> => ({
  CreateEventBus(input) {
    const { Name, EventSourceName } = Named.extend({ EventSourceName: z.string().optional() }).parse(input);
    // Only the bus of a partner's event source has a name with slashes: that of the source.
    if (!/^[\w.-]{1,256}$/u.test(Name) && !(isPartner(Name) && EventSourceName === Name))
      throw new ServiceError('ValidationException', `Event bus name ${Name} is not valid.`);
    if (!store.addBus(Name))
      throw new ServiceError('ResourceAlreadyExistsException', `Event bus ${Name} already exists.`);
    return { EventBusArn: store.busArn(Name) };
  },
  DescribeEventBus(input) {
    const name = store.expectBus(Named.extend({ Name: z.string().default('default') }).parse(input).Name);
    return { Name: name, Arn: store.busArn(name) };
  },
  DeleteEventBus(input) {
    const name = Named.parse(input).Name.replace(/^arn:[^/]*:event-bus\//u, '');
    if (name === 'default') throw new ServiceError('ValidationException', 'Cannot delete event bus default.');
    if (store.rules(name).length > 0)
      throw new ServiceError(
        'ValidationException',
        `Event bus ${name} can not be deleted since it has rules.`,
      );
    store.removeBus(name);
  },
  ListEventBuses: () => ({
    EventBuses: store.buses().map((Name) => ({ Name, Arn: store.busArn(Name) })),
  }),
});
