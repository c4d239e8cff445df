import { describe, expect, it } from 'vitest';
import { deliver } from './vendor.ts';

// Slack and Telegram: words that are not in the member that usually holds them.

const at = 1_772_442_000;

describe('Slack', () => {
  const event = async (inner: object) =>
    (
      await deliver(
        { provider: 'slack' },
        JSON.stringify({
          type: 'event_callback',
          team_id: 'T1',
          event: { type: 'message', channel: 'C1', ...inner },
        }),
      )
    ).interactions;
  const ts = `${at}.000300`;

  it('has a deletion for a message with replies, by its author, and for one without the message', async () => {
    const gone = { subtype: 'message_changed', event_ts: `${at}.000400` };
    const message = { subtype: 'tombstone', user: 'USLACKBOT', text: 'This message was deleted.', ts };
    expect(
      await event({ ...gone, message, previous_message: { user: 'UADA', text: 'secret', ts } }),
    ).toMatchObject([
      { kind: 'delete', identifiers: ['slack:T1:UADA'], externalId: `C1:${ts}`, refersTo: `C1:${ts}` },
    ]);
    const [bare] = await event({ subtype: 'message_deleted', deleted_ts: ts, event_ts: `${at}.000400` });
    expect(bare).toMatchObject({ kind: 'delete', identifiers: [], refersTo: `C1:${ts}` });
    expect(bare?.text).toBeUndefined();
  });

  it('has nobody called USLACKBOT', async () => {
    expect(await event({ user: 'USLACKBOT', text: 'Reminder: bread', ts })).toEqual([]);
  });

  it('reads escapes once, and keeps the original', async () => {
    expect(await event({ user: 'UADA', text: 'R&amp;D &lt;3 &amp;amp;', ts })).toMatchObject([
      { text: 'R&D <3 &amp;', properties: { original: 'R&amp;D &lt;3 &amp;amp;' } },
    ]);
    const [plain] = await event({ user: 'UADA', text: 'Hi', ts });
    expect(plain?.properties).toBeUndefined();
  });

  const submit = async (values: object) => {
    const view = { id: 'V1', hash: 'h', callback_id: 'order', state: { values } };
    const payload = JSON.stringify({ type: 'view_submission', user: { id: 'UADA', team_id: 'T1' }, view });
    const contentType = 'application/x-www-form-urlencoded';
    const body = new URLSearchParams({ payload }).toString();
    return (await deliver({ provider: 'slack', contentType }, body)).interactions;
  };

  it('has the answer in a field of any type, also of one that did not exist before', async () => {
    const section = (elements: object[]) => ({ type: 'rich_text_section', elements });
    const words = {
      type: 'rich_text',
      elements: [
        section([
          { type: 'text', text: 'Dear ' },
          { type: 'user', user_id: 'UAMY' },
          { type: 'emoji', name: 'wave' },
        ]),
        {
          type: 'rich_text_list',
          elements: [section([{ type: 'link', url: 'https://a.example', text: 'this' }]), section([])],
        },
        section([{ type: 'date', timestamp: 1, fallback: 'Friday' }]),
      ],
    };
    const option = (value: string) => ({ text: { type: 'plain_text', text: value.toUpperCase() }, value });
    const file = {
      id: 'F1',
      name: 'a.jpg',
      mimetype: 'image/jpeg',
      url_private: 'https://files.slack.com/a',
    };
    const fields = {
      b1: { text: { type: 'plain_text_input', value: 'Ada' }, number: { type: 'number_input', value: '3' } },
      b2: { size: { type: 'static_select', selected_option: option('l') } },
      b3: { tops: { type: 'checkboxes', selected_options: [option('a'), option('b')] } },
      b4: {
        day: { type: 'datepicker', selected_date: '2026-03-02' },
        at: { type: 'timepicker', selected_time: '16:30' },
      },
      b5: { when: { type: 'datetimepicker', selected_date_time: at } },
      b6: { who: { type: 'multi_users_select', selected_users: ['U1', 'U2'] } },
      b7: { room: { type: 'conversations_select', selected_conversation: 'C9' } },
      b8: {
        empty: { type: 'static_select', selected_option: null },
        none: { type: 'plain_text_input', value: null },
      },
      b9: { words: { type: 'rich_text_input', rich_text_value: words } },
      c1: { pic: { type: 'file_input', files: [file] } },
      c2: { next: { type: 'future_select', selected_future: option('f') } },
      c3: { text: { type: 'plain_text_input', value: 'another' } },
    };
    const [form] = await submit(fields);
    expect(form?.properties).toEqual({
      form: 'order',
      fields: {
        ...{ text: 'Ada', number: '3', size: 'l', tops: ['a', 'b'], day: '2026-03-02', at: '16:30' },
        ...{ when: at, who: ['U1', 'U2'], room: 'C9', next: 'f', pic: ['a.jpg'], 'c3.text': 'another' },
        words: 'Dear <@UAMY>:wave:\n- this (https://a.example)\n- \nFriday',
      },
    });
    expect(form?.attachments).toMatchObject([{ name: 'a.jpg', url: 'https://files.slack.com/a' }]);
  });
});

describe('Telegram', () => {
  const chat = { id: 7, type: 'private', first_name: 'Ada' };
  const said = async (content: object, more: object = {}) =>
    (
      await deliver(
        { provider: 'telegram' },
        JSON.stringify({
          update_id: 1,
          message: { message_id: 3, date: at, chat, from: { id: 7, first_name: 'Ada' }, ...content },
          ...more,
        }),
      )
    ).interactions;
  const text = async (content: object): Promise<string | undefined> => (await said(content))[0]?.text;

  it('reads the blocks of a rich message as lines', async () => {
    const paragraph = (inner: unknown) => ({ type: 'paragraph', text: inner });
    const blocks = [
      { type: 'heading', size: 1, text: 'Order' },
      paragraph(['Two ', { type: 'bold', text: ['large ', { type: 'italic', text: 'rye' }] }, ' loaves']),
      {
        type: 'list',
        items: [
          { label: '1.', blocks: [paragraph('cut')] },
          { label: '2.', blocks: [paragraph('warm')] },
        ],
      },
      { type: 'blockquote', blocks: [paragraph('fresh')], credit: 'Bob' },
      { type: 'divider' },
      { type: 'table', cells: [[{ text: 'a' }, { text: 'b' }]], caption: 'prices' },
      {
        type: 'details',
        summary: 'More',
        blocks: [paragraph({ type: 'custom_emoji', alternative_text: '🥐' })],
      },
      { type: 'photo', photo: [{ file_id: 'P1' }], caption: { text: 'the crust', credit: 'me' } },
      { type: 'hologram', depth: 3 },
    ];
    const [message] = await said({ rich_message: { blocks } });
    expect(message?.text?.split('\n')).toEqual([
      ...[
        'Order',
        'Two large rye loaves',
        '1. cut',
        '2. warm',
        'fresh',
        'Bob',
        'a | b',
        'prices',
        'More',
        '🥐',
      ],
      'the crust',
    ]);
    expect(message?.attachments).toMatchObject([{ externalId: 'P1' }]);
  });

  it.each([
    [{ poll: { question: 'Which?', options: [{ text: 'Rye' }] } }, 'Which?', { options: ['Rye'] }],
    [{ checklist: { title: 'Party', tasks: [{ id: 1, text: 'Cake' }] } }, 'Party', { tasks: ['Cake'] }],
    [
      {
        checklist_tasks_added: {
          tasks: [
            { id: 2, text: 'Tea' },
            { id: 3, text: 'Jam' },
          ],
        },
      },
      'Tea\nJam',
      undefined,
    ],
    [{ gift: { gift: {}, text: 'For you' } }, 'For you', undefined],
    [{ future_content: {} }, undefined, undefined],
    [{ dice: { emoji: '🎲', value: 3 } }, undefined, undefined],
  ])('has the words of %j', async (content, words, properties) => {
    expect(await said(content)).toMatchObject([{ kind: 'message' }]);
    const [message] = await said(content);
    expect([message?.text, message?.properties]).toEqual([words, properties]);
    expect(await text({ ...content, text: 'typed' })).toBe('typed');
  });

  it.each(['new_chat_members', 'pinned_message', 'checklist_tasks_done', 'forum_topic_created'])(
    'has no message for the notice %s',
    async (name) => {
      expect(await said({ [name]: {} })).toEqual([]);
    },
  );

  it('has what was typed for an order as claims', async () => {
    const order_info = { name: 'Ada', email: 'Ada@Example.com', phone_number: '442079460018' };
    const successful_payment = { currency: 'GBP', total_amount: 850, invoice_payload: 'cake', order_info };
    const typed = ['email:ada@example.com', 'phone:+442079460018'];
    expect(await said({ successful_payment })).toMatchObject([
      {
        kind: 'order',
        identifiers: ['telegram:7', ...typed],
        claimed: typed,
        properties: { recipient: 'Ada' },
      },
    ]);
  });

  it('marks what a bot wrote', async () => {
    const group = {
      chat: { id: -5, type: 'group' },
      from: { id: 9, is_bot: true, first_name: 'Robot' },
      text: 'Hi',
    };
    expect(await said(group)).toEqual([]);
    const reply_to_message = { message_id: 2 };
    expect(await said({ ...group, reply_to_message })).toMatchObject([
      { identifiers: [], refersTo: '-5:2', properties: { automated: true } },
    ]);
    const [admin] = await said({ ...group, sender_chat: { id: -5 } });
    expect([admin?.text, admin?.properties]).toEqual(['Hi', undefined]);
    const answer = {
      from: { id: 1, first_name: 'Shop' },
      sender_business_bot: { id: 9, is_bot: true },
      text: 'Hi',
    };
    expect(await said(answer)).toMatchObject([{ kind: 'echo', properties: { automated: true } }]);
  });
});
