import { describe, expect, it } from 'vitest';
import { interactionId } from '../../core/interaction.ts';
import { hmac } from '../../core/signature.ts';
import { type Answers, deliver } from './vendor.ts';

const json = (value: unknown) => () => Response.json(value);
const file = (bytes: string) => () => new Response(bytes, { headers: { 'content-type': 'image/jpeg' } });
const away = (to: string) => () => new Response('', { status: 307, headers: { location: to } });
const form = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString();

describe('Meta', () => {
  const secrets = { appSecret: ['app-secret'], accessToken: ['EAAG-token'] };
  const proof = `appsecret_proof=${hmac('sha256', 'app-secret', 'hex', 'EAAG-token')}`;
  const graph = (id: string) => `https://graph.facebook.com/v23.0/${id}?${proof}`;
  const page = (change: object) =>
    JSON.stringify({ object: 'page', entry: [{ id: '153125381133', time: 1772442000, ...change }] });
  const lead = page({
    changes: [
      {
        field: 'leadgen',
        value: { leadgen_id: '1045', form_id: '86', page_id: '153125381133', created_time: 1772442000 },
      },
    ],
  });
  // As https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving has it.
  const answer = {
    created_time: '2026-03-02T09:00:00+0000',
    id: '1045',
    field_data: [
      { name: 'full_name', values: ['Ada Lovelace'] },
      { name: 'email', values: ['Ada@Example.com'] },
      { name: 'phone_number', values: ['+14155550100'] },
      { name: 'email_of_a_friend', values: ['grace@example.com'] },
      { name: 'sizes', values: ['S', 'M'] },
    ],
  };

  it('tells the answers of a lead, and who the person is', async () => {
    const told = await deliver(
      { provider: 'meta', secrets, answers: { [graph('1045')]: json(answer) } },
      lead,
    );
    expect(told.asked).toEqual([{ url: graph('1045'), authorization: 'Bearer EAAG-token' }]);
    expect(told.interactions).toMatchObject([
      {
        kind: 'form',
        identifiers: ['email:ada@example.com', 'phone:+14155550100'],
        profile: { name: { full: 'Ada Lovelace' } },
        properties: { form: '86', page: '153125381133', fields: { sizes: ['S', 'M'] } },
      },
    ]);
    expect(JSON.stringify([told.interactions, told.queued])).not.toMatch(/EAAG|appsecret/u);
  });

  it('leaves a lead as it is without the token, with an expired one, and where test data stand in for the answers', async () => {
    const without = await deliver({ provider: 'meta', secrets: { appSecret: ['app-secret'] } }, lead);
    expect([without.asked, without.failures]).toEqual([[], []]);
    const expired = await deliver({ provider: 'meta', secrets }, lead);
    expect(expired.failures).toEqual(['content-refused']);
    const dummy = {
      field_data: ['email', 'phone_number'].map((name) => ({
        name,
        values: [`<test lead: dummy data for ${name}>`],
      })),
    };
    const test = await deliver(
      { provider: 'meta', secrets, answers: { [graph('1045')]: json(dummy) } },
      lead,
    );
    for (const { interactions } of [without, expired, test])
      expect(interactions).toMatchObject([{ kind: 'form', identifiers: [], externalId: '1045' }]);
  });

  const whatsapp = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '102290129340398',
        changes: [
          {
            field: 'messages',
            value: {
              messaging_product: 'whatsapp',
              metadata: { phone_number_id: '106540352242922' },
              contacts: [{ wa_id: '14155550100', profile: { name: 'Ada' } }],
              messages: [
                {
                  from: '14155550100',
                  id: 'wamid.1',
                  timestamp: '1772442000',
                  type: 'image',
                  image: { id: '2754859441498128', mime_type: 'image/jpeg', caption: 'Here' },
                },
              ],
            },
          },
        ],
      },
    ],
  });
  const mediaUrl =
    'https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=2754859441498128&ext=1&hash=A';

  it('gives the file of a WhatsApp message to the token, at the address that it tells for five minutes', async () => {
    const answers: Answers = {
      [graph('2754859441498128')]: json({
        messaging_product: 'whatsapp',
        url: mediaUrl,
        id: '2754859441498128',
      }),
      [mediaUrl]: file('jpeg'),
    };
    const { interactions, asked, stored } = await deliver({ provider: 'meta', secrets, answers }, whatsapp);
    const [one] = interactions;
    expect(one?.attachments).toEqual([
      {
        externalId: '2754859441498128',
        contentType: 'image/jpeg',
        url: 'https://graph.facebook.com/2754859441498128',
        key: `attachments/${one?.id}/0`,
      },
    ]);
    expect(stored).toEqual({ [`attachments/${one?.id}/0`]: 'jpeg' });
    expect(asked.map(({ authorization }) => authorization)).toEqual([
      'Bearer EAAG-token',
      'Bearer EAAG-token',
    ]);
  });

  it('keeps what WhatsApp holds where it is without the token, and follows it nowhere else', async () => {
    const without = await deliver({ provider: 'meta' }, whatsapp);
    expect([without.asked, without.stored]).toEqual([[], {}]);
    expect(without.interactions[0]?.attachments?.[0]).not.toHaveProperty('key');
    const lost = await deliver(
      {
        provider: 'meta',
        secrets,
        answers: { [graph('2754859441498128')]: json({ url: 'https://fbsbx.com.evil.example/x' }) },
      },
      whatsapp,
    );
    expect([lost.asked.length, lost.stored, lost.failures]).toEqual([1, {}, ['content-refused']]);
  });

  it('copies files of Messenger and Instagram, whose addresses end, without a token; pages that are shared stay', async () => {
    const photo = 'https://scontent.xx.fbcdn.net/v/t1.15752-9/1.jpg?oh=a&oe=b';
    const story = 'https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1&signature=s';
    const message = page({
      messaging: [
        {
          sender: { id: '7' },
          recipient: { id: '153125381133' },
          timestamp: 1772442000000,
          message: {
            mid: 'm_1',
            attachments: [
              { type: 'image', payload: { url: photo } },
              { type: 'story_mention', payload: { url: story } },
              { type: 'fallback', payload: { url: 'https://shop.example/1' } },
            ],
          },
        },
      ],
    });
    const answers = { [photo]: file('photo'), [story]: file('story') };
    const { asked, stored, interactions } = await deliver({ provider: 'meta', secrets, answers }, message);
    expect(Object.values(stored)).toEqual(['photo', 'story']);
    expect(asked.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
    expect(interactions[0]?.attachments?.[2]).toEqual({ name: 'fallback', url: 'https://shop.example/1' });
  });

  it('does not make one person of all who write to a page without an id', async () => {
    const blank = JSON.stringify({
      object: 'page',
      entry: [{ id: ' ', messaging: [{ sender: { id: '7' }, timestamp: 1, message: { mid: 'm' } }] }],
    });
    const { interactions, failures } = await deliver({ provider: 'meta' }, blank);
    expect([interactions, failures]).toEqual([[], ['unreadable']]);
  });
});

describe('Twilio', () => {
  const api = 'https://api.twilio.com/2010-04-01/Accounts/AC1';
  const basic = `Basic ${Buffer.from('AC1:auth-token').toString('base64')}`;
  const twilio = {
    provider: 'twilio',
    secrets: { authToken: ['auth-token'] },
    contentType: 'application/x-www-form-urlencoded',
  };
  const mms = (url: string): string =>
    form({
      MessageSid: 'MM1',
      From: '+14155550100',
      To: '+14155550199',
      Body: '',
      NumMedia: '1',
      MediaUrl0: url,
      MediaContentType0: 'image/jpeg',
    });

  it('gives a file to the account that its address names, and the token to nobody behind a redirect', async () => {
    const url = `${api}/Messages/MM1/Media/ME1`;
    const answers = {
      [url]: away('https://mms.twiliocdn.com/AC1/x?Signature=s'),
      'https://mms.twiliocdn.com/AC1/x?Signature=s': file('jpeg'),
    };
    const { asked, stored, interactions } = await deliver({ ...twilio, answers }, mms(url));
    expect(asked.map(({ authorization }) => authorization)).toEqual([basic, undefined]);
    expect(Object.values(stored)).toEqual(['jpeg']);
    expect(interactions[0]?.attachments).toMatchObject([{ url, contentType: 'image/jpeg' }]);
  });

  it.each([
    'https://example.com/a.jpg',
    'https://api.twilio.com.evil.example/a',
    'https://api.twilio.com/AC1/a',
  ])('tells the token nothing of %s', async (url) => {
    const { asked, interactions } = await deliver(twilio, mms(url));
    expect(asked).toEqual([]);
    expect(interactions[0]?.attachments).toEqual([{ url, contentType: 'image/jpeg' }]);
  });

  it('keeps the recording of a call when it is complete, and finds the call that it is of', async () => {
    const ringing = form({
      CallSid: 'CA1',
      AccountSid: 'AC1',
      CallStatus: 'ringing',
      Direction: 'inbound',
      From: '+14155550100',
      To: '+14155550199',
    });
    const url = `${api}/Recordings/RE1`;
    const recorded = (status: string) =>
      form({
        CallSid: 'CA1',
        AccountSid: 'AC1',
        RecordingSid: 'RE1',
        RecordingUrl: url,
        RecordingStatus: status,
      });
    const call = await deliver(twilio, ringing);
    const early = await deliver(twilio, recorded('in-progress'));
    const late = await deliver({ ...twilio, answers: { [url]: file('wav') } }, recorded('completed'));
    expect([early.asked, late.stored]).toEqual([
      [],
      { [`attachments/${late.interactions[0]?.id}/0`]: 'wav' },
    ]);
    const [first, one, other] = [call, early, late].map(({ interactions }) => interactions[0]);
    expect(new Set([first?.id, one?.id, other?.id]).size).toBe(3);
    expect(other).toMatchObject({ kind: 'call', identifiers: [], refersTo: 'CA1' });
    expect(first?.id).toBe(interactionId('twilio', undefined, 'CA1'));
  });

  it('does not take the number that a call is put through to for the customer', async () => {
    const { interactions } = await deliver(
      twilio,
      form({
        CallSid: 'CA2',
        ParentCallSid: 'CA1',
        CallStatus: 'completed',
        Direction: 'outbound-dial',
        From: '+14155550100',
        To: '+14155550142',
      }),
    );
    expect(interactions).toMatchObject([{ identifiers: [], refersTo: 'CA1' }]);
  });
});
