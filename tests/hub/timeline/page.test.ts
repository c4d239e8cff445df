import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { at, type Conversation, openConversation } from './conversation.ts';

let hub: Conversation;
beforeEach(async () => {
  hub = await openConversation();
});
afterEach(() => hub.stop());

const sent = { kind: 'echo', direction: 'outbound' } as const;
const aboutIt = { kind: 'delivery-status', direction: 'outbound' } as const;
const idOf = async (identifier = 'phone:+14155550100'): Promise<string> =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body.id;
const ask = async (query = '', identifier?: string) =>
  (await hub.api('GET', `/customers/${await idOf(identifier)}/timeline?${query}`)).body;
const shown = async (query = '') =>
  (await ask(query)).items.map(({ kind, text }: { kind: string; text?: string }) => text ?? kind);

/** A conversation: we write, it arrives, it is read, she answers it, changes her mind, likes what we say. */
const converse = async (): Promise<void> => {
  hub.add({ ...sent, key: 'wamid.1', minute: 0, text: 'Your   parcel\nis here' });
  hub.add({
    ...aboutIt,
    key: 'wamid.1:read',
    refersTo: 'wamid.1',
    minute: 3,
    properties: { status: 'read' },
  });
  hub.add({
    ...aboutIt,
    key: 'wamid.1:sent',
    refersTo: 'wamid.1',
    minute: 1,
    properties: { status: 'sent' },
  });
  hub.add({ key: 'wamid.2', minute: 4, text: 'On tuesday?', refersTo: 'wamid.1' });
  hub.add({
    key: 'wamid.3',
    externalId: 'wamid.2',
    kind: 'edit',
    minute: 5,
    text: 'On Thursday?',
    refersTo: 'wamid.2',
  });
  hub.add({ key: 'wamid.4', kind: 'reaction', minute: 6, text: '👍', refersTo: 'wamid.1' });
  hub.add({ key: 'wamid.5', minute: 7, text: 'Wrong chat' });
  hub.add({ key: 'wamid.6', externalId: 'wamid.5', kind: 'delete', minute: 8, refersTo: 'wamid.5' });
  hub.add({ ...sent, key: 'wamid.7', minute: 9, text: 'Thursday it is' });
  hub.add({
    ...aboutIt,
    key: 'wamid.7:failed',
    refersTo: 'wamid.7',
    minute: 10,
    properties: { status: 'failed', error: 'No credit', errorCode: '131' },
  });
  await hub.project();
};

describe('a page of a timeline', () => {
  it('shows messages with their status', async () => {
    await converse();
    const { items } = await ask('order=oldest');
    expect(items).toMatchObject([
      {
        text: 'Your   parcel\nis here',
        status: {
          name: 'read',
          at: at(3),
          history: [
            { name: 'sent', at: at(1) },
            { name: 'read', at: at(3) },
          ],
        },
        reactions: [{ by: 'customer', emoji: '👍', at: at(6) }],
      },
      {
        text: 'On tuesday?',
        edited: { at: at(5), text: 'On Thursday?' },
        repliesTo: { occurredAt: at(0), kind: 'echo', excerpt: 'Your parcel is here' },
      },
      { text: 'Wrong chat', deleted: { at: at(8), by: 'customer' } },
      { text: 'Thursday it is', status: { name: 'failed', at: at(10), reason: 'No credit 131' } },
    ]);
    expect(items[0].repliesTo).toBeUndefined();
    expect(items[0]).not.toHaveProperty('customer');
  });

  it('shows a status, an edit or a reaction as an item of its own on request, with its message', async () => {
    await converse();
    const { items } = await ask('kind=reaction,edit&kind=delivery-status&order=oldest');
    expect(
      items.map(({ kind, about }: { kind: string; about: { excerpt: string } }) => [kind, about.excerpt]),
    ).toEqual([
      ['delivery-status', 'Your parcel is here'],
      ['delivery-status', 'Your parcel is here'],
      ['edit', 'On tuesday?'],
      ['reaction', 'Your parcel is here'],
      ['delivery-status', 'Thursday it is'],
    ]);
  });

  it('shows every interaction as it is stored without folding', async () => {
    await converse();
    const { items } = await ask('fold=false');
    expect(items).toHaveLength(10);
    expect(items.some((one: object) => 'about' in one || 'repliesTo' in one || 'reactions' in one)).toBe(
      false,
    );
  });

  it('is limited to the requested channels', async () => {
    await converse();
    hub.add({ key: 'SM1', provider: 'twilio', channel: 'sms', minute: 11, text: 'By SMS' });
    await hub.project();
    expect(await shown('channel=sms')).toEqual(['By SMS']);
    expect(await shown('channel=sms,whatsapp&limit=2')).toEqual(['By SMS', 'Thursday it is']);
    expect(await shown('channel=email')).toEqual([]);
  });

  it('shows a report as an item while its message is unknown or its status is not stored yet', async () => {
    hub.add({ ...sent, key: 'wamid.1', minute: 0, text: 'Hello' });
    await hub.settle();
    hub.add({ ...aboutIt, key: 's', refersTo: 'unknown', minute: 1, properties: { status: 'sent' } });
    hub.add({ ...aboutIt, key: 't', refersTo: 'wamid.1', minute: 2, properties: { status: 'sent' } });
    await hub.settle();
    expect(await shown()).toEqual(['delivery-status', 'delivery-status', 'Hello']);
    await hub.project();
    expect(await shown()).toEqual(['delivery-status', 'Hello']);
  });

  it('applies a read report with a time to each message that it covers first', async () => {
    const messenger = { identifiers: ['messenger:300:5678'], channel: 'messenger' as const };
    hub.add({ ...sent, ...messenger, key: 'm1', minute: 0, text: 'One' });
    hub.add({ ...sent, ...messenger, key: 'm2', minute: 2, text: 'Two' });
    hub.add({ ...sent, ...messenger, key: 'm3', minute: 9, text: 'Three' });
    const read = (minute: number, watermark: number) =>
      hub.add({
        ...{ ...messenger, key: `read${minute}`, externalId: undefined, kind: 'read', minute },
        properties: { watermark: at(watermark) },
      });
    read(5, 3);
    read(1, 0);
    await hub.project();
    const { items } = await ask('order=oldest', 'messenger:300:5678');
    expect(items).toMatchObject([
      { text: 'One', status: { name: 'read', at: at(1) } },
      { text: 'Two', status: { name: 'read', at: at(5) } },
      { text: 'Three' },
    ]);
    expect(items[2]).not.toHaveProperty('status');
  });

  it('folds across the source profiles of a merged customer, until they are unmerged', async () => {
    const email = { identifiers: ['email:ada@example.com'] };
    hub.add({ ...sent, key: 'wamid.1', minute: 0, text: 'Hello' });
    hub.add({
      ...aboutIt,
      ...email,
      key: 's',
      refersTo: 'wamid.1',
      minute: 1,
      properties: { status: 'read' },
    });
    hub.add({ ...sent, ...email, key: 'wamid.2', minute: 1, text: 'Good day' });
    hub.add({ ...email, key: 'wamid.3', refersTo: 'wamid.1', minute: 2, text: 'Yes' });
    await hub.project();
    expect(await shown()).toEqual(['Hello']);
    expect((await ask('', 'email:ada@example.com')).items).toMatchObject([
      { text: 'Yes' },
      { text: 'Good day' },
    ]);
    hub.command({
      command: 'merge',
      reason: 'the same person',
      keep: 'phone:+14155550100',
      other: 'email:ada@example.com',
    });
    await hub.project();
    expect((await ask()).items).toMatchObject([
      { text: 'Yes', repliesTo: { excerpt: 'Hello' } },
      { text: 'Good day' },
      { text: 'Hello', status: { name: 'read' } },
    ]);
    hub.command({ command: 'unmerge', customer: 'phone:+14155550100' });
    await hub.project();
    expect((await ask()).items).toMatchObject([{ text: 'Hello', status: { name: 'read' } }]);
    const [answer] = (await ask('', 'email:ada@example.com')).items;
    expect(answer).not.toHaveProperty('repliesTo');
  });

  it.each([
    ['order=latest', 'order'],
    ['limit=0', 'limit'],
    ['limit=many', 'limit'],
    ['channel=post', 'channel'],
    ['kind=message,letter', 'kind'],
    ['fold=maybe', 'fold'],
    ['cursor=nonsense', 'cursor'],
    [`cursor=${Buffer.from('<yesterday#1').toString('base64url')}`, 'cursor'],
  ])('refuses %s', async (query, parameter) => {
    const { status, body } = await hub.api('GET', `/customers/any/timeline?${query}`);
    expect([status, body.code]).toEqual([400, 'invalid-query']);
    expect(body.detail).toContain(parameter);
  });
});
