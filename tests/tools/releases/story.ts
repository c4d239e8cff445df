import { samples } from '../../../cli/local/samples.ts';
import { hmac } from '../../../core/webhooks/signature.ts';
import { nonceStore } from '../../../functions/receive/nonce-store.ts';
import { PUBLIC_URL, type ReleaseHub, START } from '../../hub/releases/release-hub.ts';

const MINUTE_MS = 60_000;

const people = {
  ada: ['phone:+14155550100', 'email:ada@example.com'],
  ben: ['email:ben@example.com', 'user-id:2'],
  cleo: ['email:cleo@example.com'],
  dan: ['email:dan@example.com', 'phone:+14155550104'],
  eve: ['email:eve@example.com', 'phone:+14155550105'],
  fay: ['email:fay@example.com'],
  gus: ['email:gus@example.com', 'phone:+14155550107'],
  kim: ['email:kim@example.com', 'phone:+14155550108'],
} as const;

/** Runs stories that write every kind of row, message, timer and file, and leaves some of them under way. */
export const runStories = async (hub: ReleaseHub): Promise<void> => {
  await receiveWebhooks(hub);
  await meetPeople(hub);
  await decideAboutPeople(hub);
  await runJobs(hub);
  await fail(hub);
  await leaveUnderWay(hub);
};

const post = async ({ front, settle }: ReleaseHub, body: string): Promise<void> => {
  const signed = `sha256=${hmac('sha256', 'sample-meta-app-secret', 'hex', body)}`;
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signed };
  const { status } = await front('POST', '/webhooks/meta', body, headers);
  if (status !== 200) throw new Error(`A webhook was answered with ${status}.`);
  await settle();
};

const receiveWebhooks = async (hub: ReleaseHub): Promise<void> => {
  for (const { provider, headers, body } of samples(START, PUBLIC_URL).deliveries) {
    await hub.front('POST', `/webhooks/${provider}`, body, headers);
    await hub.settle();
  }
  const messaging = (fields: object) =>
    JSON.stringify({
      object: 'page',
      entry: [
        {
          ...{ id: '300', time: START },
          messaging: [{ sender: { id: '7' }, recipient: { id: '300' }, timestamp: START, ...fields }],
        },
      ],
    });
  // Its text and its raw body are too large for a row and for a queue message.
  await post(hub, messaging({ message: { mid: 'm_large', text: 'Ω'.repeat(600_000) } }));
  await post(hub, messaging({ read: { watermark: START } }));
};

const cart = { kind: 'behaviour', channel: 'web', properties: { name: 'cart_updated', total: 80 } };

/** Persons, guests, claims, statuses that come early, closed addresses. */
const meetPeople = async (hub: ReleaseHub): Promise<void> => {
  const { act, wait, command } = hub;
  for (const [name, identifiers] of Object.entries(people))
    act(`hello-${name}`, identifiers, {
      profile: { name: { first: name, last: 'Example' }, tags: ['known'] },
    });
  await wait();
  for (const name of ['ada', 'ben', 'dan'] as const)
    await command('consent', {
      customer: people[name][0],
      channel: 'email',
      status: 'granted',
      evidence: 'form',
    });
  await wait();
  act('order-ben', people.ben, {
    kind: 'order',
    channel: 'web',
    properties: { order: '17', status: 'paid', total: 9 },
  });
  act('cart-dan', people.dan, cart);
  act('form', ['email:guest@example.com', 'email:ada@example.com'], {
    ...{ kind: 'form', channel: 'form', claimed: ['email:guest@example.com', 'email:ada@example.com'] },
    profile: { name: { full: 'Guest Example' } },
  });
  act('two', ['email:ada@example.com', 'email:ben@example.com'], {
    ...{ kind: 'form', channel: 'form', claimed: ['email:ada@example.com', 'email:ben@example.com'] },
  });
  act('opt-in', ['email:reader@example.com'], {
    ...{ kind: 'opt-in', channel: 'email', claimed: ['email:reader@example.com'] },
  });
  act('opt-out', ['email:ben@example.com'], {
    ...{ kind: 'opt-out', channel: 'email', claimed: ['email:ben@example.com'] },
  });
  act('early', [], {
    kind: 'delivery-status',
    direction: 'system',
    refersTo: 'hello-ada',
    properties: { status: 'delivered' },
  });
  act('bounce', people.fay, { kind: 'bounce', channel: 'email', direction: 'system', refersTo: 'hello-fay' });
  act('nobody', [], { kind: 'message', channel: 'chat' });
  act('privacy', people.cleo, { kind: 'privacy-erasure', channel: 'web' });
  act('strong', ['email:ben@example.com', 'user-id:3'], {});
  act('other-user', ['user-id:3'], {});
  await wait();
  act('strong-again', ['email:ben@example.com', 'user-id:3'], {});
  act('answer', people.ada, { direction: 'outbound', refersTo: 'hello-ada' });
  act('reaction', people.ada, { kind: 'reaction', refersTo: 'answer', text: '👍' });
  await wait();
};

/** Commands of every kind, and reviews that stay open. */
const decideAboutPeople = async (hub: ReleaseHub): Promise<void> => {
  const { command, wait, act } = hub;
  const [ada, email] = people.ada;
  await command('merge', { keep: ada, other: people.cleo[0], reason: 'She said so' });
  await command('preference', { customer: ada, channel: 'email' });
  await command('reopen', { identifier: people.fay[0], evidence: 'a call' });
  await command('confirm', { customer: people.fay[0], identifier: 'email:guest@example.com' });
  await command('close', { customer: people.dan[0] });
  await wait();
  await command('merge', { keep: people.dan[0], other: people.fay[0], reason: 'By mistake' });
  await wait();
  await command('unmerge', { customer: people.dan[0] });
  await command('split', { identifier: people.kim[1] });
  await command('consent', { customer: 'email:nobody-at-all@example.com', channel: 'sms', status: 'denied' });
  await wait();
  const { crms } = hub;
  for (const LastName of ['One', 'Two'])
    crms.salesforce.staff.create('Contact', { LastName, Email: 'several@example.com' });
  act('several', ['email:several@example.com'], { channel: 'email' });
  crms.servicenow?.staff.update(
    'customer_contact',
    { email: email.slice('email:'.length) },
    { title: 'Buyer' },
  );
  await wait();
};

const runJobs = async ({ api, wait, runtime }: ReleaseHub): Promise<void> => {
  const parameters = { format: 'csv', toCrms: true };
  const { id, upload } = await api('POST', '/jobs', { kind: 'import-customers', parameters });
  const body = 'email,language\nhal@example.com,it\nunknown,it\n';
  await runtime.aws?.fetch(new Request(upload.url, { method: 'PUT', body }));
  await api('POST', `/jobs/${id}/start`);
  const { id: profileId } = await api('GET', `/customers?identifier=${encodeURIComponent(people.ada[0])}`);
  for (const [kind, of] of Object.entries({
    export: { profileId },
    adopt: { crm: 'hubspot' },
    backfill: { crm: 'salesforce' },
  }))
    await api('POST', '/jobs', { kind, parameters: of });
  await wait();
};

/** Messages that nobody can read, on every queue, until they are failures, which are replayed. */
const fail = async ({ cloud, api, wait }: ReleaseHub): Promise<void> => {
  for (const { attributes } of cloud.created.values())
    if (attributes?.['QueueUrl'] !== undefined) cloud.send(attributes['Arn'] ?? '', '{"unreadable":true}');
  await wait(3 * 3_600_000);
  await api('POST', '/failures/replay', {});
  await wait(10 * MINUTE_MS);
};

/** A finished erasure and one under way, a wait, a parked object, a message that was tried in vain. */
const leaveUnderWay = async (hub: ReleaseHub): Promise<void> => {
  const { api, wait, act, crms, send, clock } = hub;
  await api('POST', '/erasures', { customer: people.eve[0] });
  await wait(2 * 3_600_000);
  await clock.runUntil(START + 25 * 3_600_000);
  act('cart-ada', people.ada, cart);
  await wait(20 * MINUTE_MS);
  crms.hubspot.fault({ kind: 'missing-field', object: 'contacts', field: 'hub_id' });
  act('parked', ['phone:+14155550111', 'email:ida@example.com'], { channel: 'email' });
  await wait(5 * MINUTE_MS);
  send(/^Deliveries(?!.*Dead)/u, '{"tried":"in vain"}');
  await wait(4 * MINUTE_MS);
  // The object in the CRM is parked, so this erasure waits.
  await api('POST', '/erasures', { customer: people.gus[0] });
  await nonceStore(hub.runtime)('other', { token: 'token', seconds: 86_400 }, Buffer.from('body'));
  await wait(60 * MINUTE_MS);
};
