import { describe, expect, it } from 'vitest';
import { deliver } from './vendor.ts';

// Shapes of real chat payloads that a mapping written by the main documentation alone overlooks.

const ofJson = async (provider: string, body: unknown) => deliver({ provider }, JSON.stringify(body));
const interactionsOf = async (provider: string, body: unknown) => (await ofJson(provider, body)).interactions;
const at = 1_772_442_000;

describe('Meta', () => {
  const page = (more: object) => ({ object: 'page', entry: [{ id: '77', time: at * 1000, ...more }] });
  const message = (sender: string, inner: object) => ({
    ...{ sender: { id: sender }, recipient: { id: '77' }, timestamp: at * 1000, message: inner },
  });

  it('decodes each member on its own: an odd message, an odd entry, an odd change', async () => {
    const body = {
      object: 'page',
      entry: [
        { id: '77', messaging: [message('1', { mid: 'a', text: 'Hi' }), message('2', { text: 7 }), null] },
        { time: 1, messaging: [message('3', { mid: 'b', text: 'lost page' })] },
        { id: '77', changes: [{ field: 7 }, { field: 'feed', value: { item: 7 } }, { field: 'leadgen' }] },
        { id: '77', messaging: [message('4', { mid: 'c', text: 'There' })] },
      ],
    };
    const { interactions, failures } = await ofJson('meta', body);
    expect(interactions.map(({ text }) => text)).toEqual(['Hi', 'There']);
    expect(failures).toEqual(Array.from({ length: 6 }, () => 'unreadable-member'));
  });

  it('decodes each message and status of WhatsApp on its own, whatever the contacts are', async () => {
    const value = {
      contacts: [null, { wa_id: 7 }, { wa_id: '14155550100', profile: { name: 'Ada' } }],
      messages: [
        { id: 'm1', from: '14155550100', timestamp: String(at), type: 'text', text: { body: 'Hi' } },
        { id: 'm2', from: '14155550101', timestamp: String(at), type: 'text', text: 'Hi' },
        { id: 'm3', from: '14155550102', timestamp: String(at), type: 'hologram', hologram: {} },
      ],
      statuses: [
        { id: 's1' },
        { id: 's2', status: 'sent', timestamp: String(at), recipient_id: '14155550100' },
      ],
    };
    const changes = [{ field: 'messages', value }];
    const { interactions, failures } = await ofJson('meta', {
      ...{ object: 'whatsapp_business_account', entry: [{ id: '1', changes }] },
    });
    expect(interactions).toMatchObject([
      { externalId: 'm1', profile: { name: { full: 'Ada' } } },
      { externalId: 'm3', kind: 'message' },
      { externalId: 's2', kind: 'delivery-status' },
    ]);
    expect(failures).toHaveLength(2);
  });

  it.each([
    { object: 'future_object', entry: [{ time: at }] },
    { object: 'constructor', entry: [7] },
    { object: 'future_object', entry: 7 },
    { object: 'user', entry: [{ id: '1', changed_fields: ['email'] }] },
    page({ changes: [{ field: 'future_field', value: 7 }] }),
    page({ messaging: [{ sender: { id: '1' }, recipient: { id: '77' }, future_event: {} }] }),
  ])('ignores what it does not know: %j', async (body) => {
    const { interactions, failures } = await ofJson('meta', body);
    expect([interactions, failures]).toEqual([[], []]);
  });

  const publicly = (field: string, value: object) =>
    interactionsOf('meta', page({ changes: [{ field, value }] }));
  const visitor = { from: { id: '9', name: 'Ada' }, created_time: at, verb: 'add' };

  it('has posts of visitors, mentions and reviews as comments', async () => {
    expect(
      await publicly('feed', {
        ...visitor,
        item: 'photo',
        post_id: '77_1',
        message: 'Mine',
        link: 'https://a.example/1',
      }),
    ).toMatchObject([
      {
        ...{ kind: 'comment', text: 'Mine', externalId: '77_1', identifiers: ['messenger:77:9'] },
        ...{ attachments: [{ url: 'https://a.example/1' }], profile: { name: { full: 'Ada' } } },
      },
    ]);
    const link = { ...visitor, item: 'share', post_id: '77_2', link: 'https://a.example/2' };
    expect(await publicly('feed', link)).toMatchObject([
      { kind: 'comment', properties: { link: link.link } },
    ]);
    expect(
      await publicly('mention', {
        item: 'post',
        verb: 'add',
        post_id: '8_1',
        sender_id: '9',
        message: '@Bakery',
      }),
    ).toMatchObject([{ kind: 'comment', text: '@Bakery', identifiers: ['messenger:77:9'] }]);
    const review = {
      item: 'rating',
      verb: 'edit',
      open_graph_story_id: 5,
      reviewer_id: 9,
      review_text: 'Fine now',
    };
    expect(await publicly('ratings', { ...review, recommendation_type: 'POSITIVE' })).toMatchObject([
      {
        ...{ kind: 'edit', text: 'Fine now', externalId: '5', identifiers: ['messenger:77:9'] },
        properties: { recommendation: 'positive' },
      },
    ]);
    expect(
      await publicly('feed', { ...visitor, item: 'status', verb: 'remove', post_id: '77_1' }),
    ).toMatchObject([{ kind: 'delete', externalId: '77_1' }]);
  });

  it('ignores the posts of the page itself', async () => {
    const ours = { ...visitor, from: { id: '77' }, item: 'status', post_id: '77_3', message: 'Open today' };
    expect(await publicly('feed', ours)).toEqual([]);
  });

  it('has the address of a pasted link, a place, and the answers of a feedback form', async () => {
    const attachments = [
      { type: 'fallback', title: 'A lamp', url: 'https://l.example/1', payload: null },
      { type: 'location', payload: { coordinates: { lat: 1.5, long: 2.5 } } },
      { type: 'future', payload: 'odd' },
    ];
    expect(
      await interactionsOf('meta', page({ messaging: [message('1', { mid: 'a', attachments })] })),
    ).toMatchObject([
      {
        attachments: [
          { name: 'A lamp', url: 'https://l.example/1' },
          { name: 'location' },
          { name: 'future' },
        ],
        properties: { location: { latitude: 1.5, longitude: 2.5 } },
      },
    ]);
    const questions = {
      q1: { type: 'csat', payload: '2', follow_up: { type: 'free_form', payload: 'Too late' } },
    };
    const feedback = {
      ...{ sender: { id: '1' }, recipient: { id: '77' }, timestamp: at * 1000 },
      messaging_feedback: { feedback_screens: [{ screen_id: 0, questions }] },
    };
    expect(await interactionsOf('meta', page({ messaging: [feedback] }))).toMatchObject([
      { kind: 'form', properties: { fields: { q1: '2', 'q1.follow_up': 'Too late' } } },
    ]);
  });
});

describe('LINE', () => {
  const event = (id: string, more: object) => ({
    ...{ webhookEventId: id, timestamp: at * 1000, source: { type: 'user', userId: 'U1' }, ...more },
  });
  const message = (id: string, inner: object) => event(id, { type: 'message', message: { id, ...inner } });

  it('has edits, the words on a sticker, and messages of unknown types', async () => {
    const events = [
      event('e1', { type: 'messageEdited', message: { id: '5', type: 'text', text: 'Four' } }),
      message('6', { type: 'sticker', stickerId: '2', stickerResourceType: 'MESSAGE', text: 'Friday' }),
      message('7', { type: 'sticker', stickerId: '2', stickerResourceType: 'STATIC', text: 'Printed' }),
      message('8', { type: 'hologram' }),
    ];
    const interactions = await interactionsOf('line', { events });
    expect(interactions).toMatchObject([
      { kind: 'edit', text: 'Four', externalId: '5', refersTo: '5' },
      { kind: 'message', text: 'Friday' },
      { kind: 'message' },
      { kind: 'message' },
    ]);
    expect(interactions.slice(2).map(({ text }) => text)).toEqual([undefined, undefined]);
  });

  it('decodes each event on its own', async () => {
    const events = [
      message('1', { type: 'text', text: 'Hi' }),
      null,
      { type: 'future' },
      message('2', { type: 7 }),
    ];
    const { interactions, failures } = await ofJson('line', { events });
    expect([interactions.length, failures.length]).toEqual([1, 2]);
  });
});

describe('X', () => {
  const user = { id_str: '321', name: 'Ada' };
  const post = (id_str: string, text: unknown) => ({ id_str, text, user, timestamp_ms: String(at * 1000) });

  it('reads escapes once, and keeps the original', async () => {
    const body = { for_user_id: '1', tweet_create_events: [post('1', 'a &amp;lt; b &lt;3')] };
    expect(await interactionsOf('x', body)).toMatchObject([
      { kind: 'comment', text: 'a &lt; b <3', properties: { original: 'a &amp;lt; b &lt;3' } },
    ]);
    const message_create = {
      sender_id: '321',
      target: { recipient_id: '1' },
      message_data: { text: 'R&amp;D' },
    };
    expect(
      await interactionsOf('x', {
        ...{ for_user_id: '1', users: { 321: { id: 7 } } },
        direct_message_events: [{ type: 'message_create', id: '5', message_create }],
      }),
    ).toMatchObject([{ kind: 'message', text: 'R&D', properties: { original: 'R&amp;D' } }]);
  });

  it('decodes each event on its own', async () => {
    const { interactions, failures } = await ofJson('x', {
      ...{ for_user_id: '1', tweet_create_events: [post('1', 7), null, post('2', 'Hi')], block_events: [{}] },
      follow_events: [{ type: 'follow', created_timestamp: '1', source: user }],
    });
    expect(interactions.map(({ kind }) => kind)).toEqual(['comment', 'behaviour']);
    expect(failures).toHaveLength(2);
  });
});

describe('Teams', () => {
  const bot = { id: '28:app', name: 'Garden Bot' };
  const said = async (text: string, more: object = {}) =>
    interactionsOf('teams', {
      ...{
        type: 'message',
        id: '1',
        timestamp: '2026-03-02T09:00:00Z',
        from: { id: '29:ada' },
        recipient: bot,
      },
      ...{ conversation: { id: '19:c' }, text, ...more },
    });
  const mention = (mentioned: object, text: string) => ({ type: 'mention', mentioned, text });

  it('has words without the mention of the bot and without markup', async () => {
    const entities = [
      mention(bot, '<at>Garden Bot</at>'),
      mention({ id: '29:amy', name: 'Amy' }, '<at id="2">Amy</at>'),
    ];
    const text = 'Hi <at>Garden Bot</at> ask <at id="2">Amy</at>: a &lt; b<br>now';
    expect(await said(text, { entities, textFormat: 'xml' })).toMatchObject([
      { text: 'Hi ask Amy: a < b\nnow', properties: { original: text } },
    ]);
    expect(await said('<at>Garden Bot</at> a &lt; <b>', { entities, textFormat: 'plain' })).toMatchObject([
      { text: 'a &lt; <b>' },
    ]);
    const [plain] = await said('just words');
    expect([plain?.text, plain?.properties]).toEqual(['just words', undefined]);
  });

  it('has the answers of a dialog', async () => {
    expect(
      await interactionsOf('teams', {
        ...{
          type: 'invoke',
          name: 'task/submit',
          id: '2',
          from: { id: '29:ada' },
          conversation: { id: '19:c' },
        },
        value: { data: { size: 'large', toppings: ['figs'] }, context: {} },
      }),
    ).toMatchObject([{ kind: 'form', properties: { fields: { size: 'large', toppings: ['figs'] } } }]);
  });
});
