import * as z from 'zod';
import { answerJson, jsonOperation, type Operation, ServiceError } from '../protocol/json.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';
import { transaction } from '../protocol/transaction.ts';
import { archives } from './archives.ts';
import { deliveries, type EventsChaos } from './deliveries.ts';
import { Entry, type EntryEvent, entrySize, eventOfEntry } from './entries.ts';
import { rules } from './rules.ts';
import { type BusEvent, type EventsStore, eventsStore, type Rule } from './store.ts';
import { targets } from './targets.ts';

export interface Events extends AwsService {
  /** Publishes an event to a bus on behalf of another resource: a rule whose target is a bus, or a schedule. */
  accept(busArn: string, event: unknown): void;
}

const MOST_ENTRIES = 10;
/** The documented limit of a request, all entries together. */
const REQUEST_BYTES = 256 * 1024;

const AcceptedEvent = z.looseObject({
  id: z.string().optional(),
  source: z.string(),
  'detail-type': z.string(),
  time: z.string().optional(),
  resources: z.array(z.string()).default([]),
  detail: z.unknown(),
});

/** The local EventBridge: buses, rules with the published pattern language, targets, archives. */
export const events = (context: ServiceContext, chaos: EventsChaos = {}): Events => {
  const { db } = context;
  const store = eventsStore(context);
  const { queue } = deliveries(context, store, chaos);
  const archived = archives(context, store);
  const publish = (bus: string, event: BusEvent): void => {
    archived.store(bus, event);
    for (const rule of store.matching(bus, event)) queue(rule, event);
  };
  const onSchedule = (rule: Rule): void => {
    const resources = [store.ruleArn(rule.bus, rule.name)];
    const scheduled = { source: 'aws.events', 'detail-type': 'Scheduled Event', resources, detail: {} };
    queue(rule, envelope(context, scheduled));
  };
  /** Publishes the valid entries. `prepare` returns the event and the bus of an entry, or its error. */
  const publishAll = (entries: readonly Entry[], prepare: (entry: Entry) => PreparedEntry): object => {
    const results = transaction(db, () =>
      entries.map((entry) => {
        const prepared = prepare(entry);
        if ('ErrorCode' in prepared) return prepared;
        const time = entry.Time === undefined ? undefined : timeOf(entry.Time * 1000);
        const event = envelope(context, { ...prepared.event, time });
        publish(store.expectBus(prepared.bus), event);
        return { EventId: event.id };
      }),
    );
    return { FailedEntryCount: results.filter((one) => 'ErrorCode' in one).length, Entries: results };
  };

  const operations: Readonly<Record<string, Operation>> = {
    ...buses(store),
    ...rules(context, store, onSchedule),
    ...targets(store),
    ...archived.operations,
    PutEvents(input) {
      const entries = z.array(Entry).min(1).max(MOST_ENTRIES).parse(input['Entries']);
      if (entries.reduce((sum, entry) => sum + entrySize(entry), 0) > REQUEST_BYTES)
        throw new ServiceError(
          'ValidationException',
          'Total size of the entries in the request is over the limit.',
        );
      return publishAll(entries, (entry) => {
        const event = eventOfEntry(entry);
        return 'ErrorCode' in event ? event : { event, bus: entry.EventBusName };
      });
    },
    /** The call of a partner: its event source and its bus have the same name. */
    PutPartnerEvents(input) {
      const entries = z.array(Entry).min(1).max(MOST_ENTRIES).parse(input['Entries']);
      return publishAll(entries, ({ Source: source = '', ...entry }) => {
        const event = eventOfEntry({ ...entry, Source: 'partner' });
        if ('ErrorCode' in event) return event;
        return { event: { ...event, source }, bus: isPartner(source) ? source : '' };
      });
    },
  };
  return {
    signingName: 'events',
    operation: jsonOperation,
    handle: (request) => answerJson(request, '1.1', operations),
    accept(busArn, event) {
      const accepted = envelope(context, AcceptedEvent.parse(event));
      transaction(db, () => publish(store.expectBus(busArn), accepted));
    },
  };
};

type PreparedEntry =
  | { readonly event: EntryEvent; readonly bus: string }
  | { readonly ErrorCode: string; readonly ErrorMessage: string };

const timeOf = (instant: number): string => new Date(instant).toISOString().replace(/\.\d{3}Z$/u, 'Z');

/** The envelope of an event; its id and time are new where they are absent. */
const envelope = (
  { clock, newId, region, account }: ServiceContext,
  fields: EntryEvent & { readonly id?: string | undefined; readonly time?: string | undefined },
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

const CreateBusInput = z.looseObject({ Name: z.string(), EventSourceName: z.string().optional() });

const isPartner = (name: string): boolean => /^aws\.partner\/[\w./-]{1,240}$/u.test(name);

const buses = (store: EventsStore): Readonly<Record<string, Operation>> => ({
  CreateEventBus(input) {
    const { Name, EventSourceName } = CreateBusInput.parse(input);
    // Only the bus of a partner's event source has a name with slashes: that of the source.
    if (!/^[\w.-]{1,256}$/u.test(Name) && !(isPartner(Name) && EventSourceName === Name))
      throw new ServiceError('ValidationException', `Event bus name ${Name} is not valid.`);
    if (!store.addBus(Name))
      throw new ServiceError('ResourceAlreadyExistsException', `Event bus ${Name} already exists.`);
    return { EventBusArn: store.busArn(Name) };
  },
});
