import type { Customer } from '../../../core/identity/customer.ts';
import { normaliseIdentifier } from '../../../core/identity/rules.ts';
import { conversationView } from '../../../core/timeline/conversation.ts';
import { problem } from '../../middleware/http.ts';
import { type ListPorts, listed } from './customer-lists.ts';
import { json, type Routes, unknownCustomer } from './route.ts';

export interface CustomerPorts extends ListPorts {
  /** The half that owns an identifier in normal form. */
  readonly owner: (identifier: string) => Promise<string | undefined>;
}

/** One person, found by an identifier or by the customer's id. */
export const customerRoutes: Routes<CustomerPorts> = {
  'GET /customers': async (event, ports) => {
    const query = event.queryStringParameters ?? {};
    if (query['identifier'] === undefined && Object.keys(query).length > 0) return listed(event, ports);
    const asked = query['identifier'] ?? '';
    const identifier = normaliseIdentifier(asked);
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
      : problem(404, 'unknown-customer', 'No customer holds this identifier.');
  },
  'GET /customers/{id}': async (event, ports) => {
    const customer = await ports.history.customer(event.pathParameters?.['id'] ?? '');
    return customer ? json(200, await view(customer, ports)) : unknownCustomer();
  },
};

const view = async (
  {
    sourceProfiles,
    lastInboundAt: _heard,
    lastInboundMessageAt: _inbound,
    conversation,
    ...customer
  }: Customer,
  { silence, now }: CustomerPorts,
): Promise<object> => ({
  ...customer,
  conversation: conversationView(conversation, await silence(), now()),
  mergedFrom: sourceProfiles.slice(1).map(({ profile }) => profile.id),
});
