import { describe, expect, it } from 'vitest';
import { connectorOf, mappingOf } from '../../connectors/registry.ts';
import { readMail } from '../../core/formats/mail/mail.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { goodCases } from '../support/cases.ts';

const json = (value: unknown) => ({
  contentType: 'application/json',
  bytes: Buffer.from(JSON.stringify(value)),
});

const decoded = async (provider: string, body: string, contentType: string) => {
  const delivery = {
    method: 'POST',
    url: `https://acme.example/webhooks/${provider}`,
    headers: { 'content-type': contentType },
    body: Buffer.from(body),
    receivedAt: '2026-03-02T09:00:00.000Z',
  } as unknown as Delivery;
  const { interactions } = (await mappingOf(provider)?.decode(delivery)) ?? { interactions: [] };
  const [one] = interactions;
  if (one === undefined) throw new Error('nothing was decoded');
  return one;
};

describe('a mail that a webhook only points at', () => {
  it('of Resend: its text is fetched with the API key, its files through what the API answers', async () => {
    const fixture = goodCases.find(({ name }) => name === 'resend: received');
    const mail = await decoded('resend', fixture?.one.rawBody ?? '', 'application/json');
    const access = connectorOf('resend')?.content;
    const secrets = { signingSecret: ['whsec_x'], apiKey: ['re_key'] };
    expect(access?.authorise(mail.fetch?.url ?? '', secrets, 0)?.headers).toEqual({
      authorization: 'Bearer re_key',
    });
    expect(access?.authorise(mail.fetch?.url ?? '', { ...secrets, apiKey: [] }, 0)).toBeUndefined();
    const file = 'https://inbound-cdn.resend.com/1/slip.pdf?sig=1';
    expect(access?.follow?.(mail.attachments?.[0]?.url ?? '', JSON.stringify({ download_url: file }))).toBe(
      file,
    );
    // The key does not go where it does not belong.
    expect(access?.authorise(file, secrets, 0)).toEqual({ url: file });
    const whole = await mappingOf('resend')?.complete?.(
      mail,
      json({
        text: 'Where is it?',
        html: '<p>Where is it?</p>',
        headers: { 'In-Reply-To': '<out-1@acme.example>' },
      }),
    );
    expect(whole).toMatchObject({ key: mail.key, text: 'Where is it?', refersTo: '<out-1@acme.example>' });
  });

  it('of Mailgun, where a route stored it', async () => {
    const stored = 'https://sw.api.mailgun.net/v3/domains/mg.acme.example/messages/abc';
    const form = new URLSearchParams({
      from: 'Ada <ada@example.com>',
      'Message-Id': '<q1@mail.example.com>',
      'message-url': stored,
      timestamp: '1772442000',
      token: 't',
    });
    const mail = await decoded('mailgun', form.toString(), 'application/x-www-form-urlencoded');
    expect(mail.fetch).toEqual({ url: stored });
    const whole = await mappingOf('mailgun')?.complete?.(
      mail,
      json({
        from: 'Ada <ada@example.com>',
        'Message-Id': '<q1@mail.example.com>',
        'stripped-text': 'Where is it?',
        attachments: [
          { url: `${stored}/attachments/0`, name: 'slip.png', 'content-type': 'image/png', size: 3 },
        ],
      }),
    );
    expect(whole).toMatchObject({
      key: mail.key,
      text: 'Where is it?',
      attachments: [{ url: `${stored}/attachments/0`, keep: true, name: 'slip.png' }],
    });
  });
});

describe('a mail as MIME', () => {
  it('gives up its files, byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const mail = await readMail(
      Buffer.from(
        `From: ada@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHere.\r\n--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=slip.png\r\nContent-Transfer-Encoding: base64\r\n\r\n${bytes.toString('base64')}\r\n--b--\r\n`,
      ),
    );
    expect(mail.attachments).toEqual([
      { name: 'slip.png', contentType: 'image/png', size: 256, content: bytes.toString('base64') },
    ]);
  });
});
