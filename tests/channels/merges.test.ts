import { expect, it } from 'vitest';
import { decodeWith } from '../support/decode.ts';

const zendesk = (type: string, fields: object) =>
  decodeWith('zendesk', {
    id: `ev-${type}`,
    type: `zen:event-type:${type}`,
    time: '2026-03-02T09:00:00Z',
    ...fields,
  });

it.each([
  [
    'HubSpot',
    'hubspot',
    [
      {
        ...{ subscriptionType: 'contact.merge', eventId: 1, changeSource: 'CRM' },
        ...{ primaryObjectId: 1, mergedObjectIds: [2, 3], newObjectId: 4 },
      },
    ],
    { identifiers: ['hubspot:4'], becomes: ['hubspot:1', 'hubspot:2', 'hubspot:3'] },
  ],
  [
    'Zendesk',
    'zendesk',
    {
      ...{ id: 'ev', type: 'zen:event-type:user.merged', detail: { id: '1', role: 'end-user' } },
      event: { user: { id: '2' } },
    },
    { identifiers: ['zendesk:1'], becomes: ['zendesk:2'] },
  ],
])('a merge of %s joins both: staff made it', async (_, provider, payload, expected) => {
  const { interactions } = await decodeWith(provider, payload);
  expect(interactions).toMatchObject([{ kind: 'contact-update', ...expected }]);
  expect(interactions[0]?.claimed).toBeUndefined();
});

it('a merge of Intercom names both; neither is more certain than its visitor was', async () => {
  const item = { type: 'contact', id: 'a', merged_from: { type: 'contact', id: 'b' } };
  const { interactions } = await decodeWith('intercom', { topic: 'contact.merged', id: 'n', data: { item } });
  expect(interactions).toMatchObject([
    {
      ...{ kind: 'contact-update', identifiers: ['intercom:a'], becomes: ['intercom:b'] },
      claimed: ['intercom:a', 'intercom:b'],
    },
  ]);
});

it('a merge of Shopify joins both; one that did not happen is ignored', async () => {
  const headers = { 'x-shopify-topic': 'customers/merge', 'x-shopify-event-id': 'ev' };
  const gid = (id: number) => `gid://shopify/Customer/${id}`;
  const kept = { admin_graphql_api_customer_kept_id: gid(1), admin_graphql_api_customer_deleted_id: gid(2) };
  expect((await decodeWith('shopify', kept, headers)).interactions).toMatchObject([
    { kind: 'contact-update', identifiers: ['shopify:1'], becomes: ['shopify:2'] },
  ]);
  const failed = { ...kept, admin_graphql_api_customer_deleted_id: null };
  expect(await decodeWith('shopify', failed, headers)).toMatchObject({
    interactions: [],
    ignored: ['customers/merge'],
  });
});

it('consent at Shopify has the time at which it was given', async () => {
  const headers = {
    'x-shopify-topic': 'customers_email_marketing_consent/update',
    'x-shopify-event-id': 'ev',
  };
  const consent = { state: 'unsubscribed', consent_updated_at: '2026-03-01T20:00:00-04:00' };
  const payload = { customer_id: 1, email_address: 'ada@example.com', email_marketing_consent: consent };
  expect((await decodeWith('shopify', payload, headers)).interactions).toMatchObject([
    { kind: 'opt-out', occurredAt: '2026-03-02T00:00:00.000Z', properties: { scope: 'marketing' } },
  ]);
});

it('the first words of a Zendesk ticket are one message, also if they are reported as a comment too', async () => {
  const detail = {
    ...{ id: '9', requester_id: '1', submitter_id: '1', description: 'Squashed', subject: 'Cake' },
    created_at: '2026-03-02T09:00:00Z',
  };
  const author = { id: '1', is_staff: false };
  const comment = { id: 'c', body: 'Squashed', is_public: true, author };
  const [first, again, later, agent] = await Promise.all([
    zendesk('ticket.created', { detail }),
    zendesk('ticket.comment_added', { detail, event: { comment } }),
    zendesk('ticket.comment_added', { detail, time: '2026-03-02T10:00:00Z', event: { comment } }),
    zendesk('ticket.created', { detail: { ...detail, submitter_id: '77' } }),
  ]);
  expect(first.interactions).toMatchObject([
    { kind: 'message', text: 'Squashed', identifiers: ['zendesk:1'], key: 'ticket:9:description' },
  ]);
  expect(again.interactions[0]?.key).toBe('ticket:9:description');
  expect(later.interactions[0]?.key).not.toBe('ticket:9:description');
  expect(agent.interactions).toMatchObject([{ kind: 'echo', direction: 'outbound' }]);
});

it('an address that is added to a Zendesk user is theirs by claim', async () => {
  const identity = { type: 'email', value: 'ada@example.com' };
  const { interactions } = await zendesk('user.identity_created', {
    detail: { id: '1' },
    event: { identity },
  });
  expect(interactions).toMatchObject([
    { identifiers: ['zendesk:1', 'email:ada@example.com'], claimed: ['zendesk:1', 'email:ada@example.com'] },
  ]);
});

it('a routing form of Calendly has the one address among its answers; of several, none', async () => {
  const form = (...answers: string[]) =>
    decodeWith('calendly', {
      event: 'routing_form_submission.created',
      payload: { uri: 'u', questions_and_answers: answers.map((answer) => ({ question: 'q', answer })) },
    });
  expect((await form('Ada@example.com', 'yes')).interactions).toMatchObject([
    { identifiers: ['email:ada@example.com'], claimed: ['email:ada@example.com'] },
  ]);
  expect((await form('ada@example.com', 'bob@example.com')).interactions[0]?.identifiers).toEqual([]);
});

it('members of a batch of SendGrid with arguments of the business are read all the same', async () => {
  const event = { email: 'Ada <Ada@Example.com>', event: 'delivered', timestamp: 1_772_442_000 };
  const odd = {
    type: 42,
    url: {},
    status: null,
    sg_machine_open: 'false',
    sg_message_id: 7,
    asm_group_id: [],
  };
  const { interactions, unreadable } = await decodeWith('sendgrid', [
    { ...event, ...odd, sg_event_id: 'a' },
    { ...event, sg_event_id: 'b' },
    { event: 'delivered' },
  ]);
  expect(interactions.map(({ identifiers }) => identifiers)).toEqual([
    ['email:ada@example.com'],
    ['email:ada@example.com'],
  ]);
  expect(unreadable).toMatchObject([{ member: '[2]' }]);
});
