import { describe, expect, it } from 'vitest';
import { decodeWith } from '../support/decode.ts';
import { deliver } from './vendor.ts';

// Shapes of real payloads that a mapping written by the main documentation alone overlooks.

const FORM = 'application/x-www-form-urlencoded';
const form = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString();
const ofForm = async (provider: string, fields: Readonly<Record<string, string>>) =>
  (await deliver({ provider, contentType: FORM }, form(fields))).interactions;
const ofJson = async (provider: string, body: unknown) => deliver({ provider }, JSON.stringify(body));
const interactionsOf = async (provider: string, body: unknown) => (await ofJson(provider, body)).interactions;

describe('a callback about a message of the business is no message from its number', () => {
  const ours = '+442079460999';
  const theirs = '+442079460018';

  it('of Twilio, also with a status that is not documented', async () => {
    const about = { MessageSid: 'SM5', From: ours, To: theirs };
    expect(await ofForm('twilio', { ...about, MessageStatus: 'parked' })).toMatchObject([
      { kind: 'delivery-status', direction: 'outbound', identifiers: [`phone:${theirs}`], refersTo: 'SM5' },
    ]);
    expect(await ofForm('twilio', { ...about, SmsStatus: 'parked' })).toMatchObject([
      { kind: 'delivery-status' },
    ]);
    expect(await ofForm('twilio', about)).toEqual([]);
    expect(await ofForm('twilio', { ...about, SmsStatus: 'received' })).toMatchObject([{ kind: 'message' }]);
  });

  it('of Plivo, Vonage, Telnyx and MessageBird', async () => {
    const msisdn = ours.slice(1);
    expect(await ofForm('plivo', { MessageUUID: 'p', From: msisdn, To: theirs, Units: '1' })).toEqual([]);
    expect(await ofForm('plivo', { MessageUUID: 'p', From: msisdn, Text: '' })).toHaveLength(1);
    expect(await ofForm('vonage', { messageId: 'v', msisdn, to: theirs, price: '0.03' })).toEqual([]);
    expect(await ofForm('vonage', { messageId: 'v', msisdn, text: '' })).toHaveLength(1);
    expect(
      await interactionsOf('vonage', { message_uuid: 'v', channel: 'sms', from: msisdn, to: theirs }),
    ).toEqual([]);
    expect(await ofForm('messagebird', { id: 'm', originator: msisdn, recipient: theirs })).toEqual([]);
    const payload = { direction: 'outbound', from: { phone_number: ours }, to: [{ phone_number: theirs }] };
    expect(
      await interactionsOf('telnyx', { data: { id: 'e', event_type: 'message.received', payload } }),
    ).toEqual([]);
  });
});

describe('a transcription during a call', () => {
  const sentence = (id: string, transcript: string, more = {}) =>
    ofForm('twilio', {
      ...{ CallSid: 'CA5', TranscriptionSid: 'GT5', TranscriptionEvent: 'transcription-content' },
      ...{ Track: 'inbound_track', SequenceId: id, Timestamp: '2026-03-02T09:00:01.250Z', Final: 'true' },
      ...{ TranscriptionData: JSON.stringify({ transcript, confidence: 0.8 }), ...more },
    });

  it('of Twilio has each sentence once', async () => {
    const [first, second] = [await sentence('2', 'My cake'), await sentence('3', 'is late')];
    expect([...first, ...second]).toMatchObject([
      {
        ...{ kind: 'call', text: 'My cake', externalId: 'CA5', refersTo: 'CA5', direction: 'inbound' },
        occurredAt: '2026-03-02T09:00:01.250Z',
      },
      { text: 'is late' },
    ]);
    expect(first[0]?.id).not.toBe(second[0]?.id);
    expect(await sentence('3', 'We are open', { Track: 'outbound_track' })).toMatchObject([
      { direction: 'outbound', text: 'We are open' },
    ]);
  });

  it('of Twilio has nothing of a sentence that goes on, and no row for its beginning', async () => {
    expect(await sentence('4', 'is la', { Final: 'false' })).toEqual([]);
    expect(await sentence('1', '', { TranscriptionEvent: 'transcription-started' })).toEqual([]);
    expect(
      await ofForm('twilio', { CallSid: 'CA5', CallStatus: 'in-progress', UnstableSpeechResult: 'is la' }),
    ).toEqual([]);
  });

  it('of Telnyx has the words and whose they are', async () => {
    const heard = (transcription_data: object) =>
      interactionsOf('telnyx', {
        data: {
          id: 'e1',
          event_type: 'call.transcription',
          payload: { call_leg_id: 'l', transcription_data },
        },
      });
    expect(
      await heard({ transcript: 'is it fresh?', is_final: true, transcription_track: 'inbound' }),
    ).toMatchObject([{ kind: 'call', text: 'is it fresh?', direction: 'inbound', refersTo: 'l' }]);
    expect(await heard({ transcript: 'is it', is_final: false })).toEqual([]);
    const payload = { call_leg_id: 'l', transcription_text: 'Hello' };
    const event_type = 'call.recording.transcription.saved';
    expect(await interactionsOf('telnyx', { data: { id: 'e2', event_type, payload } })).toMatchObject([
      { text: 'Hello', properties: { status: 'transcribed' } },
    ]);
  });

  it('of Telnyx takes the recording in the format that has an address', async () => {
    const payload = {
      call_leg_id: 'l',
      recording_urls: { mp3: null, wav: 'https://s3.amazonaws.com/a.wav' },
    };
    expect(
      await interactionsOf('telnyx', { data: { id: 'e', event_type: 'call.recording.saved', payload } }),
    ).toMatchObject([{ kind: 'call', attachments: [{ url: 'https://s3.amazonaws.com/a.wav' }] }]);
  });
});

describe('Twilio on WhatsApp', () => {
  const about = { MessageSid: 'SM6', From: 'whatsapp:+442079460018', To: 'whatsapp:+442079460999' };

  it.each([
    [{ Body: 'White', ButtonText: 'White' }, 'postback', 'White'],
    [{ Body: '', ButtonText: 'White', MessageType: 'button' }, 'postback', 'White'],
    [{ Body: 'White', MessageType: 'interactive', ListTitle: 'White' }, 'postback', 'White'],
    [{ Body: 'White', MessageType: 'text' }, 'message', 'White'],
    [{ Body: '', MessageType: 'hologram' }, 'message', ''],
  ])('reads %j as a %s', async (fields, kind, text) => {
    expect(await ofForm('twilio', { ...about, ...fields })).toMatchObject([{ kind, text }]);
  });
});

describe('MessageBird', () => {
  it.each([
    ['mediaURLs=https%3A%2F%2Fm.example%2F1&mediaURLs=https%3A%2F%2Fm.example%2F2', 2],
    ['mediaURLs%5B%5D=https%3A%2F%2Fm.example%2F1', 1],
    ['mediaURLs%5B0%5D=https%3A%2F%2Fm.example%2F1', 1],
    [`mediaURLs=${encodeURIComponent('["https://m.example/1","https://m.example/2"]')}`, 2],
    ['mediaURLs=', 0],
  ])('keeps the files of an MMS in %s', async (fields, count) => {
    const body = `id=m&originator=442079460018&recipient=1&body=look&${fields}`;
    const [message] = (await deliver({ provider: 'messagebird', contentType: FORM }, body)).interactions;
    expect((message?.attachments ?? []).map(({ url }) => url)).toEqual(
      ['https://m.example/1', 'https://m.example/2'].slice(0, count),
    );
  });

  it('takes an MMS without words', async () => {
    const body = { id: 'm', originator: '442079460018', mediaURLs: ['https://m.example/1'] };
    expect(await interactionsOf('messagebird', body)).toMatchObject([
      { kind: 'message', text: '', attachments: [{ url: 'https://m.example/1' }] },
    ]);
  });
});

describe('Viber', () => {
  const said = (message: object) =>
    interactionsOf('viber', { event: 'message', message_token: 7, sender: { id: 'u=' }, message });

  it('has the address of a link, and a message of an unknown type without text', async () => {
    expect(await said({ type: 'url', media: 'https://example.org/menu' })).toMatchObject([
      { kind: 'message', text: 'https://example.org/menu' },
    ]);
    expect(await said({ type: 'url', text: 'Look', media: 'https://example.org/menu' })).toMatchObject([
      { text: 'Look\nhttps://example.org/menu' },
    ]);
    const [unknown] = await said({ type: 'hologram' });
    expect([unknown?.kind, unknown?.text]).toEqual(['message', undefined]);
  });
});

it.each(['twilio', 'plivo'])('names that every object has are no words of %s', async (provider) => {
  const fields = { MessageSid: 'S', MessageUUID: 'S', From: '+442079460018', Body: 'Hi' };
  expect(
    await ofForm(provider, { ...fields, OptOutType: 'constructor', MessageIntent: 'constructor' }),
  ).toMatchObject([{ kind: 'message' }]);
});

const future = { id: 7, from: 7, user: 7, sender: 7, message: 7, data: 7, value: 7, text: 7 };

describe('an event of an unknown type is ignored, whatever its members are', () => {
  it.each([
    ['viber', { event: 'future', ...future }],
    ['telnyx', { data: { event_type: 'future.event', payload: 7, ...future } }],
    ['teams', { type: 'future', ...future }],
    ['discord', { version: 1, type: 1, event: { type: 'FUTURE', data: { user: 7, id: 7 } } }],
    ['tiktok', { event: 'im_future_msg', content: JSON.stringify(future) }],
    ['slack', { type: 'event_callback', team_id: 'T', event: { type: 'future', ...future } }],
    ['bird', { event: 'future.service', payload: 7 }],
    ['messagebird', { type: 'conversation.future' }],
    ['vonage', { conversation_uuid: 'CON-1', status: 'ringing' }],
    ['line', { events: [{ type: 'future', ...future }] }],
    ['apple', { type: 'future' }],
  ])('%s', async (provider, body) => {
    const { interactions, failures } = await ofJson(provider, body);
    expect([interactions, failures]).toEqual([[], []]);
  });

  it('slack, in a form', async () => {
    const payload = JSON.stringify({ type: 'future', ...future });
    const { interactions, failures } = await deliver(
      { provider: 'slack', contentType: FORM },
      form({ payload }),
    );
    expect([interactions, failures]).toEqual([[], []]);
  });
});

describe('a known event of an odd shape is a failure, and never ignored', () => {
  it.each([
    ['vonage', { message_uuid: 'v', channel: 'sms', from: '1', to: '2', message_type: {} }],
    ['messagebird', { type: 'message.created', message: { id: 7 } }],
    ['viber', { event: 'message', message_token: 7, sender: 7 }],
    ['teams', { type: 'message', from: { id: 7 } }],
  ])('%s', async (provider, body) => {
    const { interactions, failures } = await ofJson(provider, body);
    expect([interactions, failures]).toEqual([[], ['unreadable-delivery']]);
  });
});

it('an event of RBM that names neither a type nor known content is a message without text', async () => {
  const act = { senderPhoneNumber: '+442079460018', messageId: 'r1', agentId: 'a', futureContent: {} };
  const data = Buffer.from(JSON.stringify(act)).toString('base64');
  expect(await interactionsOf('rbm', { message: { data } })).toMatchObject([{ kind: 'message', text: '' }]);
});

describe('what a business rule of ServiceNow posts', () => {
  const ID = 'a'.repeat(32);
  const posted = {
    sys_id: ID,
    sys_mod_count: '4',
    sys_updated_on: '2026-03-02 09:00:00',
    sys_updated_by: 'hub',
  };
  const changeOf = async (more: object) =>
    (await decodeWith('servicenow', { ...posted, ...more })).interactions[0]?.change;

  it('of a contact tells the sync to read it, whoever wrote it', async () => {
    const at = '2026-03-02T09:00:00.000Z';
    expect(
      await changeOf({ table: 'customer_contact', operation: 'update', email: 'ada@example.com' }),
    ).toEqual({
      ...{ object: 'customer_contact', id: ID, act: 'changed', at, fields: {}, merged: [] },
    });
    expect(await changeOf({ table: 'csm_consumer', operation: 'insert' })).toMatchObject({ act: 'created' });
    expect(await changeOf({ table: 'customer_contact', operation: 'delete' })).toMatchObject({
      act: 'deleted',
    });
  });

  it('of a case with a comment is both what was said and the state, which may be as it was', async () => {
    const comments = '2026-03-02 09:00:00 - Bea Agent (Additional comments)\nSolved\n\n';
    const contact = { display_value: 'Ada Byron', value: 'b'.repeat(32) };
    const more = { table: 'sn_customerservice_case', state: '6', contact, comments };
    const { interactions } = await decodeWith('servicenow', { ...posted, ...more });
    expect(interactions).toMatchObject([
      {
        ...{ kind: 'echo', text: 'Solved' },
        change: { act: 'changed', asked: true, fields: { state: expect.any(String) } },
      },
    ]);
  });

  it('of an incident, or of a user who is no customer, is no change of a contact', async () => {
    expect(await changeOf({ table: 'incident', operation: 'update' })).toBeUndefined();
    expect(await changeOf({ table: 'sys_user', operation: 'update' })).toBeUndefined();
  });
});
