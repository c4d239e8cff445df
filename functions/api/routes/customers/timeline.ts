import * as z from 'zod';
import type { Customer } from '../../../../core/identity/customer.ts';
import type { SourceProfile } from '../../../../core/identity/profile.ts';
import { Channel, Instant, Kind } from '../../../../core/interaction/interaction.ts';
import type { Notifications } from '../../../aws/triggers/notifications.ts';
import type { Guests } from '../../../contracts/ports/guests.ts';
import type { History, TimelineCursor, TimelineQuery, Timelines } from '../../../contracts/ports/history.ts';
import { problem } from '../../../middleware/http.ts';
import { Cursor, cursorOf, json, type Routes, withCustomer } from '../route.ts';
import { merged, unsentOnPage } from './unsent.ts';

export interface TimelinePorts {
  readonly history: History;
  readonly timelines: Timelines;
  readonly guests: Pick<Guests, 'guestsOf'>;
  readonly notifications: Pick<Notifications, 'ofCustomer'>;
}

/** A list of values: API Gateway joins the values of a repeated parameter with commas. */
const listOf = <Value extends string>(one: z.ZodType<Value, string>) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(one))
    .transform((values) => new Set(values))
    .default(new Set<Value>());

const PlaceCursor = Cursor.pipe(
  z.templateLiteral([z.enum(['<', '<=', '>', '>=']), z.iso.datetime(), '#', z.string()]),
).transform((text): TimelineCursor => {
  const [, sign = '', occurredAt = '', id = ''] = /^([<>]=?)([^#]*)#(.*)$/su.exec(text) ?? [];
  return {
    toward: sign.startsWith('<') ? 'older' : 'newer',
    occurredAt: Instant.parse(occurredAt),
    id,
    inclusive: sign.endsWith('='),
  };
});

const textOf = ({ toward, occurredAt, id, inclusive }: TimelineCursor): string =>
  cursorOf(`${toward === 'older' ? '<' : '>'}${inclusive ? '=' : ''}${occurredAt}#${id}`);

const Query = z
  .object({
    order: z.enum(['newest', 'oldest']).default('newest'),
    limit: z.coerce.number().int().min(1).max(200).default(50),
    channel: listOf(Channel),
    kind: listOf(Kind),
    fold: z.enum(['true', 'false']).default('true'),
    cursor: PlaceCursor.optional(),
  })
  .transform(
    ({ channel: channels, kind: kinds, fold, cursor: from, ...rest }): TimelineQuery => ({
      ...{ ...rest, channels, kinds, folded: fold === 'true' },
      ...(from && { from }),
    }),
  );

const expected: Readonly<Record<string, string>> = {
  order: 'order is newest or oldest.',
  limit: 'limit is a whole number from 1 to 200.',
  channel: `channel is one or more of ${Channel.options.join(', ')}.`,
  kind: `kind is one or more of ${Kind.options.join(', ')}.`,
  fold: 'fold is true or false.',
  cursor: 'cursor is the `next` or the `previous` of an earlier page, unchanged.',
};

export const timelineRoutes: Routes<TimelinePorts> = {
  /** One page, with notifications that were not sent or not yet (`unsent`), and what guests shown with the customer did (`proof: claimed`, with the `guest`). Statuses, edits and reactions are part of their message, unless `kind` names them or with `fold=false`. */
  'GET /customers/{id}/timeline': async (event, ports) => {
    const query = Query.safeParse(event.queryStringParameters ?? {});
    if (!query.success) {
      const key = String(query.error.issues[0]?.path[0]);
      return problem(400, 'invalid-query', expected[key] ?? '');
    }
    return withCustomer<TimelinePorts>(async (customer, _event, { timelines, guests, notifications }) => {
      const shown = await guests.guestsOf(customer);
      const everybody = withGuests(customer, shown);
      const page = await timelines.page(everybody, query.data);
      const unsent = unsentOnPage(await notifications.ofCustomer(everybody), query.data, page);
      const { items, next, previous } = page;
      const guestsAlone = customer.guest ? [customer, ...shown] : shown;
      const claimedBy = new Set(guestsAlone.flatMap(({ sourceProfiles }) => sourceProfiles.map(profileIdOf)));
      return json(200, {
        items: merged(items, unsent, query.data).map((item) =>
          claimedBy.has(item.profileId) ? { ...item, proof: 'claimed', guest: item.profileId } : item,
        ),
        ...(next && { next: textOf(next) }),
        ...(previous && { previous: textOf(previous) }),
      });
    })(event, ports);
  },
};

const profileIdOf = ({ profile }: SourceProfile): string => profile.id;

/** The person, with what guests shown with it did on the same timeline. */
const withGuests = (person: Customer, guests: readonly Customer[]): Customer => ({
  ...person,
  sourceProfiles: [person, ...guests].flatMap(({ sourceProfiles }) => sourceProfiles),
});
