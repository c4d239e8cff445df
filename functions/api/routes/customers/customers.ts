import type { Customer } from '../../../../core/identity/customer.ts';
import { explainDecision } from '../../../../core/identity/decisions/explain.ts';
import { normaliseIdentifier } from '../../../../core/identity/normalise.ts';
import { fillFromGuests } from '../../../../core/identity/proof/guests.ts';
import { conversationView } from '../../../../core/timeline/conversation.ts';
import type { Guests } from '../../../contracts/ports/guests.ts';
import type { StoredInteraction } from '../../../contracts/ports/history.ts';
import { problem } from '../../../middleware/http.ts';
import { json, type Routes, withCustomer } from '../route.ts';
import { type ConsentPorts, mutedAddresses } from './consent.ts';
import { type ListPorts, listCustomers } from './customer-lists.ts';

export interface CustomerPorts extends ListPorts, Pick<ConsentPorts, 'addressees'> {
  /** The source profile that owns a normalised identifier, else its guest. */
  readonly owner: (identifier: string) => Promise<string | undefined>;
  readonly guests: Pick<Guests, 'guestsOf'>;
  /** The interactions with these ids, as far as they are stored. */
  readonly interactions: (ids: readonly string[]) => Promise<ReadonlyMap<string, StoredInteraction>>;
}

/** One customer by identifier or by id; lists of customers. */
export const customerRoutes: Routes<CustomerPorts> = {
  'GET /customers': async (event, ports) => {
    const query = event.queryStringParameters ?? {};
    if (query['identifier'] === undefined && Object.keys(query).length > 0)
      return listCustomers(event, ports);
    const identifier = normaliseIdentifier(query['identifier'] ?? '');
    if (identifier === undefined) {
      return problem(
        400,
        'invalid-identifier',
        'Ask with ?identifier=type:value, for example email:ada@example.com or phone:+14155550100; or for a list, with ?recent, ?waiting or ?name=beginning.',
      );
    }
    const profileId = await ports.owner(identifier);
    const customer = profileId === undefined ? undefined : await ports.history.customer(profileId);
    return customer
      ? json(200, await view(customer, ports))
      : problem(404, 'unknown-customer', 'No customer owns this identifier.');
  },
  'GET /customers/{id}': withCustomer(async (customer, _event, ports) =>
    json(200, await view(customer, ports)),
  ),
  /** Every decision, with a sentence that says why, and by which proof. */
  'GET /customers/{id}/ledger': withCustomer(async (customer, _event, { history, interactions }) => {
    const decisions = await history.ledger(customer);
    const causes = await interactions(
      decisions.flatMap((one) => (one.type === 'merge' && one.by === 'identifiers' ? [one.cause] : [])),
    );
    const items = decisions.map((one) => {
      const cause = one.type === 'merge' ? causes.get(one.cause) : undefined;
      return { ...one, why: explainDecision(one, cause) };
    });
    return json(200, { items });
  }),
};

/** Owned identifiers for which an agent's word is the only proof: who confirmed them, and when. */
const confirmedOf = async (
  customer: Customer,
  { history }: Pick<CustomerPorts, 'history'>,
): Promise<object[]> => {
  const confirmed = new Set(customer.sourceProfiles.flatMap(({ profile }) => profile.confirmed));
  if (confirmed.size === 0) return [];
  const decisions = await history.ledger(customer);
  return [...confirmed].map((identifier) => {
    const last = decisions.findLast((one) => one.type === 'confirmation' && one.identifier === identifier);
    return { identifier, at: last?.at, by: last?.type === 'confirmation' ? last.by : undefined };
  });
};

const view = async (whole: Customer, ports: CustomerPorts): Promise<object> => {
  const { silence, now, guests, addressees } = ports;
  const { sourceProfiles, conversation, ...customer } = whole;
  const { lastInboundAt: _lastInboundAt, lastInboundMessageAt: _messages, ...shownKeys } = customer;
  const shown = await guests.guestsOf(whole);
  const { name, language, timeZone } = fillFromGuests(whole, shown);
  const owned = new Set(customer.identifiers);
  return {
    ...shownKeys,
    ...{ name, language, timeZone },
    claimed: [...new Set([...customer.claimed, ...shown.flatMap(({ claimed }) => claimed)])].filter(
      (one) => !owned.has(one),
    ),
    muted: await mutedAddresses([whole, ...shown], addressees),
    confirmed: await confirmedOf(whole, ports),
    guests: shown.map(({ id, claimed, firstSeenAt }) => ({ id, claimed, firstSeenAt })),
    conversation: conversationView(conversation, await silence(), now()),
    mergedFrom: sourceProfiles.slice(1).map(({ profile }) => profile.id),
  };
};
