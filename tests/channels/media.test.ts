import { generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { interactionId } from '../../core/interaction/interaction.ts';
import { hmac } from '../../core/webhooks/signature.ts';
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
    expect(expired.failures).toEqual(['refused-content']);
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
    expect([lost.asked.length, lost.stored, lost.failures]).toEqual([1, {}, ['refused-content']]);
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
    expect([interactions, failures]).toEqual([[], ['unreadable-member']]);
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

describe('Telegram', () => {
  const api = 'https://api.telegram.org';
  const photo = JSON.stringify({
    update_id: 1,
    message: {
      message_id: 5,
      date: 1772442000,
      chat: { id: 7, type: 'private' },
      from: { id: 7, first_name: 'Ada' },
      video: { file_id: 'big', file_size: 20_000_001 },
      photo: [
        { file_id: 'small', file_size: 90 },
        { file_id: 'large', file_size: 900 },
      ],
    },
  });
  const answers: Answers = {
    [`${api}/bot123:ABC/getFile?file_id=large`]: json({
      ok: true,
      result: { file_id: 'large', file_path: 'photos/file_1.jpg' },
    }),
    [`${api}/file/bot123:ABC/photos/file_1.jpg`]: file('jpeg'),
  };

  it('gives files by way of their path, and its token stands in nothing that is stored or queued', async () => {
    const secrets = { secretToken: ['word'], botToken: ['123:ABC'] };
    const told = await deliver({ provider: 'telegram', secrets, answers }, photo);
    expect(Object.values(told.stored)).toEqual(['jpeg']);
    expect(told.interactions[0]?.attachments).toMatchObject([
      { externalId: 'large', url: `${api}/getFile?file_id=large` },
      { externalId: 'big' },
    ]);
    expect(JSON.stringify([told.interactions, told.queued, told.stored])).not.toContain('123:ABC');
  });

  it.each(['../../etc/passwd', '../../../bot1/getUpdates', '//evil.example/x'])(
    'is not led astray by the path %s',
    async (path) => {
      const led = await deliver(
        {
          provider: 'telegram',
          secrets: { botToken: ['123:ABC'] },
          answers: {
            [`${api}/bot123:ABC/getFile?file_id=large`]: json({ result: { file_path: path } }),
          },
        },
        photo,
      );
      expect([led.stored, led.failures]).toEqual([{}, ['refused-content']]);
      expect(led.asked.every(({ url }) => new URL(url).hostname === 'api.telegram.org')).toBe(true);
    },
  );

  it('keeps its files where it is without the token', async () => {
    const { asked, interactions } = await deliver({ provider: 'telegram' }, photo);
    expect(asked).toEqual([]);
    expect(interactions[0]?.attachments?.[0]).toMatchObject({ externalId: 'large' });
  });
});

describe('LINE', () => {
  const api = 'https://api-data.line.me/v2/bot/message';
  const secrets = { channelSecret: ['s'], accessToken: ['channel-token'] };
  const message = (type: string, more: object = {}): string =>
    JSON.stringify({
      destination: 'U0',
      events: [
        {
          type: 'message',
          webhookEventId: '01H',
          timestamp: 1772442000000,
          source: { type: 'user', userId: 'U1' },
          message: { id: '325708', type, contentProvider: { type: 'line' }, ...more },
        },
      ],
    });

  it('gives images and files to the channel token', async () => {
    const answers = { [`${api}/325708/content`]: file('jpeg') };
    const told = await deliver({ provider: 'line', secrets, answers }, message('image'));
    expect(told.asked).toEqual([{ url: `${api}/325708/content`, authorization: 'Bearer channel-token' }]);
    expect(Object.values(told.stored)).toEqual(['jpeg']);
    const without = await deliver({ provider: 'line', answers }, message('image'));
    expect([without.asked, without.interactions[0]?.attachments?.[0]?.externalId]).toEqual([[], '325708']);
  });

  it('gives videos once they are ready, and what lies elsewhere stays there', async () => {
    const answersOf = (status: string): Answers => ({
      [`${api}/325708/content/transcoding`]: json({ status }),
      [`${api}/325708/content`]: file('mp4'),
    });
    const at = async (status: string) =>
      deliver({ provider: 'line', secrets, answers: answersOf(status) }, message('video'));
    expect(Object.values((await at('succeeded')).stored)).toEqual(['mp4']);
    for (const [status, failure] of [
      ['processing', 'unreachable-content'],
      ['failed', 'unreachable-content'],
    ] as const) {
      const { stored, failures } = await at(status);
      expect([stored, failures]).toEqual([{}, [failure]]);
    }
    const url = 'https://cdn.example/1.jpg';
    const external = { contentProvider: { type: 'external', originalContentUrl: url } };
    const { asked, interactions } = await deliver({ provider: 'line', secrets }, message('image', external));
    expect([asked, interactions[0]?.attachments]).toEqual([[], [{ name: 'image', url }]]);
  });
});

describe('those whose addresses end or want a key', () => {
  it('Viber: signed addresses are copied', async () => {
    const url = 'https://dl-media.viber.com/5/media/2/short/any/sig/image/0x0/1.jpg?Expires=1&Signature=s';
    const body = JSON.stringify({
      event: 'message',
      timestamp: 1772442000000,
      message_token: '4912661846655238145',
      sender: { id: 'v1', name: 'Ada' },
      message: { type: 'picture', media: url },
    });
    const { stored } = await deliver({ provider: 'viber', answers: { [url]: file('jpeg') } }, body);
    expect(Object.values(stored)).toEqual(['jpeg']);
  });

  const birdUrl = 'https://media.api.bird.com/workspaces/w/messages/m/media/1';
  const signedUrl = 'https://media-bird.s3.eu-west-1.amazonaws.com/1?X-Amz-Signature=s';
  const bird = JSON.stringify({
    service: 'channels',
    event: 'whatsapp.inbound',
    payload: {
      id: 'b1',
      sender: { contact: { id: 'c1', identifierKey: 'phonenumber', identifierValue: '+14155550100' } },
      body: { type: 'image', image: { images: [{ mediaUrl: birdUrl }] } },
    },
  });

  it('Bird: the access key opens a redirect and is not told to where that leads', async () => {
    const answers = { [birdUrl]: away(signedUrl), [signedUrl]: file('jpeg') };
    const told = await deliver({ provider: 'bird', secrets: { accessKey: ['key'] }, answers }, bird);
    expect(told.asked).toEqual([
      { url: birdUrl, authorization: 'AccessKey key' },
      { url: signedUrl, authorization: undefined },
    ]);
    expect(Object.values(told.stored)).toEqual(['jpeg']);
    const without = await deliver({ provider: 'bird', answers }, bird);
    expect([without.asked, without.interactions[0]?.attachments]).toEqual([[], [{ url: birdUrl }]]);
  });

  it('MessageBird: with the access key where one is stored', async () => {
    const url = 'https://messaging.messagebird.com/v1/files/1';
    const body = JSON.stringify({
      type: 'message.created',
      contact: { id: 'c1', msisdn: 14155550100 },
      conversation: { id: 'k1' },
      message: {
        id: 'm1',
        platform: 'whatsapp',
        direction: 'received',
        status: 'received',
        content: { image: { url } },
      },
    });
    const answers = { [url]: file('jpeg') };
    const open = await deliver({ provider: 'messagebird', answers }, body);
    const closed = await deliver({ provider: 'messagebird', secrets: { accessKey: ['key'] }, answers }, body);
    expect([open, closed].map(({ asked }) => asked[0]?.authorization)).toEqual([undefined, 'AccessKey key']);
    for (const { stored } of [open, closed]) expect(Object.values(stored)).toEqual(['jpeg']);
  });

  it('Vonage: openly, or with a token of the application', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const url = 'https://api-us.nexmo.com/v3/media/1b456509-974c-458b-aafa-45fc48a4d976';
    const body = JSON.stringify({
      channel: 'whatsapp',
      message_uuid: 'u1',
      to: '14155550199',
      from: '14155550100',
      timestamp: '2026-03-02T09:00:00Z',
      message_type: 'image',
      image: { url, caption: 'Here' },
    });
    const answers = { [url]: file('jpeg') };
    const open = await deliver({ provider: 'vonage', answers }, body);
    const secrets = { applicationId: ['app'], privateKey: [privateKey.replaceAll('\n', '\\n')] };
    const secure = await deliver({ provider: 'vonage', secrets, answers }, body);
    for (const { stored } of [open, secure]) expect(Object.values(stored)).toEqual(['jpeg']);
    expect(open.asked[0]?.authorization).toBeUndefined();
    const [header = '', claims = '', signature = ''] =
      secure.asked[0]?.authorization?.replace('Bearer ', '').split('.') ?? [];
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      application_id: 'app',
      iat: 0,
      exp: 300,
    });
    const signed = Buffer.from(`${header}.${claims}`);
    expect(verify('sha256', signed, publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
  });
});

describe('files of help desks, Teams and e-mail', () => {
  it('Intercom: signed addresses are copied', async () => {
    const url = 'https://downloads.intercomcdn.com/i/o/1/slip.pdf?expires=1772445600&signature=s';
    const body = JSON.stringify({
      topic: 'conversation.user.replied',
      id: 'notif_1',
      data: {
        item: {
          type: 'conversation',
          id: '88',
          user: { type: 'user', id: 'c1' },
          conversation_parts: {
            conversation_parts: [
              {
                id: 'p1',
                part_type: 'comment',
                body: '<p>Here</p>',
                attachments: [{ name: 'slip.pdf', url }],
              },
            ],
          },
        },
      },
    });
    const { stored } = await deliver({ provider: 'intercom', answers: { [url]: file('pdf') } }, body);
    expect(Object.values(stored)).toEqual(['pdf']);
  });

  it('Teams: a file that a person sends is copied while its address holds', async () => {
    const url = 'https://acme-my.sharepoint.com/personal/ada/_layouts/15/download.aspx?tempauth=t';
    const body = JSON.stringify({
      type: 'message',
      id: '1',
      timestamp: '2026-03-02T09:00:00Z',
      from: { id: '29:ada', name: 'Ada' },
      conversation: { id: 'a:1' },
      attachments: [
        {
          contentType: 'application/vnd.microsoft.teams.file.download.info',
          contentUrl: 'https://acme-my.sharepoint.com/personal/ada/Documents/slip.pdf',
          name: 'slip.pdf',
          content: { downloadUrl: url, uniqueId: '1', fileType: 'pdf' },
        },
      ],
    });
    const { stored, interactions } = await deliver(
      { provider: 'teams', answers: { [url]: file('pdf') } },
      body,
    );
    expect(Object.values(stored)).toEqual(['pdf']);
    expect(interactions[0]?.attachments).toMatchObject([{ name: 'slip.pdf', url }]);
  });

  it('SendGrid: the files of a mail come with it, byte for byte', async () => {
    const part = (head: string, body: string): string =>
      `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
    const body = `${part('name="headers"', 'Message-ID: <1@example.com>')}${part('name="from"', 'Ada <ada@example.com>')}${part('name="attachment1"; filename="slip.txt"', 'paid')}--b--\r\n`;
    const { stored, interactions } = await deliver(
      { provider: 'sendgrid', contentType: 'multipart/form-data; boundary=b' },
      body,
    );
    const [one] = interactions;
    const key = `attachments/${one?.id}/0`;
    expect(one?.attachments).toEqual([{ name: 'slip.txt', size: 4, key }]);
    expect(stored).toEqual({ [key]: 'paid' });
  });
});

describe('a call of Telnyx', () => {
  it('bears the id by which its later stages name it', async () => {
    const event = (id: string, event_type: string, payload: object): string =>
      JSON.stringify({ data: { id, event_type, occurred_at: '2026-03-02T09:00:00Z', payload } });
    const call = { call_leg_id: 'leg-1', call_session_id: 's-1', from: '+14155550100', to: '+14155550199' };
    const [first] = (
      await deliver({ provider: 'telnyx' }, event('e1', 'call.initiated', { ...call, direction: 'incoming' }))
    ).interactions;
    const [later] = (await deliver({ provider: 'telnyx' }, event('e2', 'call.answered', call))).interactions;
    expect(first).toMatchObject({ identifiers: ['phone:+14155550100'] });
    expect(later).toMatchObject({ identifiers: [], refersTo: 'leg-1' });
    expect(first?.id).toBe(interactionId('telnyx', undefined, later?.refersTo ?? ''));
  });
});

describe('HubSpot', () => {
  const url = 'https://api.hubapi.com/conversations/v3/conversations/threads/7/messages/m1';
  const secrets = { clientSecret: ['s'], accessToken: ['pat'] };
  const body = JSON.stringify([
    {
      eventId: 1,
      subscriptionId: 2,
      occurredAt: 1772442000000,
      subscriptionType: 'conversation.newMessage',
      objectId: 7,
      messageId: 'm1',
      messageType: 'MESSAGE',
    },
  ]);
  const ada = {
    actorId: 'V-51',
    name: 'Ada',
    deliveryIdentifier: { type: 'HS_EMAIL_ADDRESS', value: 'Ada@example.com' },
  };
  const agent = {
    actorId: 'A-9',
    deliveryIdentifier: { type: 'HS_EMAIL_ADDRESS', value: 'us@acme.example' },
  };

  it('tells what was said in the inbox, and by whom', async () => {
    const slip = 'https://12.fs1.hubspotusercontent-eu1.net/hubfs/12/slip.pdf?Expires=1';
    const answers = {
      [url]: json({
        direction: 'INCOMING',
        text: 'Where is it?',
        senders: [ada],
        recipients: [agent],
        attachments: [{ type: 'FILE', name: 'slip.pdf', url: slip }],
      }),
      [slip]: file('pdf'),
    };
    const { interactions, asked, stored } = await deliver({ provider: 'hubspot', secrets, answers }, body);
    expect(interactions).toMatchObject([
      {
        kind: 'message',
        direction: 'inbound',
        text: 'Where is it?',
        identifiers: ['hubspot:51', 'email:ada@example.com'],
        conversationId: '7',
      },
    ]);
    expect(asked.map(({ authorization }) => authorization)).toEqual(['Bearer pat', undefined]);
    expect(Object.values(stored)).toEqual(['pdf']);
  });

  it('is about the customer where an agent answers, and about nobody where several are answered', async () => {
    const answered = async (recipients: object[]) => {
      const said = { direction: 'OUTGOING', text: 'Soon', senders: [agent], recipients };
      return (await deliver({ provider: 'hubspot', secrets, answers: { [url]: json(said) } }, body))
        .interactions;
    };
    expect(await answered([ada])).toMatchObject([
      { direction: 'outbound', identifiers: ['hubspot:51', 'email:ada@example.com'] },
    ]);
    expect(await answered([ada, agent])).toMatchObject([{ direction: 'outbound', identifiers: [] }]);
  });

  it('is a message of nobody without the token', async () => {
    const { asked, interactions } = await deliver({ provider: 'hubspot' }, body);
    expect([asked, interactions[0]?.identifiers]).toEqual([[], []]);
  });
});

describe('files with signed addresses, and those that lead on', () => {
  it('Discord: what was uploaded to a command is copied', async () => {
    const url = 'https://cdn.discordapp.com/ephemeral-attachments/1/2/slip.png?ex=1&is=1&hm=s';
    const body = JSON.stringify({
      type: 2,
      id: '786008729715212339',
      user: { id: '53908232506183680', username: 'ada' },
      data: {
        name: 'claim',
        resolved: { attachments: { 2: { id: '2', filename: 'slip.png', content_type: 'image/png', url } } },
      },
    });
    const { stored, interactions } = await deliver(
      { provider: 'discord', answers: { [url]: file('png') } },
      body,
    );
    expect(Object.values(stored)).toEqual(['png']);
    expect(interactions[0]?.attachments).toMatchObject([{ name: 'slip.png', externalId: '2' }]);
  });

  it('Plivo: the account is told to Plivo, and not to the bucket behind it', async () => {
    const url = 'https://media.plivo.com/Account/MA1/Message/m1/Media/1';
    const bucket = 'https://plivo-media.s3.us-east-1.amazonaws.com/1?X-Amz-Signature=s';
    const plivo = {
      provider: 'plivo',
      contentType: 'application/x-www-form-urlencoded',
      answers: { [url]: away(bucket), [bucket]: file('jpeg') },
    };
    const body = form({
      MessageUUID: 'm1',
      From: '14155550100',
      To: '14155550199',
      Type: 'mms',
      Media1: url,
    });
    const basic = `Basic ${Buffer.from('MA1:token').toString('base64')}`;
    const secret = await deliver({ ...plivo, secrets: { authId: ['MA1'], authToken: ['token'] } }, body);
    const open = await deliver({ ...plivo, secrets: { authToken: ['token'] } }, body);
    expect(secret.asked.map(({ authorization }) => authorization)).toEqual([basic, undefined]);
    expect(open.asked.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
    for (const { stored } of [secret, open]) expect(Object.values(stored)).toEqual(['jpeg']);
  });

  it.each([
    ['telnyx', 'https://us-central-1.telnyxcloudstorage.com/1.jpg?X-Amz-Signature=s'],
    ['rbm', 'https://rcs-user-content-us.storage.googleapis.com/1.jpg'],
  ])('%s: is asked for nothing elsewhere', async (provider, url) => {
    const bodies: Readonly<Record<string, (at: string) => string>> = {
      telnyx: (at) =>
        JSON.stringify({
          data: {
            id: 'e',
            event_type: 'message.received',
            payload: { id: 'm', from: { phone_number: '+14155550100' }, media: [{ url: at }] },
          },
        }),
      rbm: (at) => {
        const act = {
          senderPhoneNumber: '+14155550100',
          messageId: 'm',
          userFile: { payload: { fileUri: at, mimeType: 'image/jpeg' } },
        };
        return JSON.stringify({ message: { data: Buffer.from(JSON.stringify(act)).toString('base64') } });
      },
    };
    const body = bodies[provider] ?? (() => '');
    const right = await deliver({ provider, answers: { [url]: file('jpeg') } }, body(url));
    expect(Object.values(right.stored)).toEqual(['jpeg']);
    const wrong = await deliver({ provider }, body(url.replace('.com/', '.com.evil.example/')));
    expect([wrong.asked, wrong.interactions[0]?.attachments?.[0]]).toEqual([
      [],
      expect.not.objectContaining({ key: expect.anything() }),
    ]);
  });
});
