import { httpSenderOf } from '../../../connectors/senders/index.ts';
import { isRefusal, NotNow, type OutgoingMessage } from '../../../core/triggers/sending/sender.ts';

/** A vendor's answer: its status, its JSON, its headers. */
export type Answer = readonly [status: number, body?: unknown, headers?: Readonly<Record<string, string>>];

/** What is stored of each sender that has a secret. */
export const secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  twilio: { accountSid: 'AC1', authToken: 't', from: '+15005550006', whatsappFrom: '+14155238886' },
  sendgrid: { apiKey: 'SG.key' },
  telegram: { botToken: '110201543:AAH' },
  line: { accessToken: 'line-token' },
  slack: { botToken: 'xoxb-1' },
  messenger: { pageId: '300', accessToken: 'page-token' },
  instagram: { accountId: '178', accessToken: 'page-token' },
  'whatsapp-cloud': { accessToken: 'token', phoneNumberId: '106' },
};

const messages: Readonly<Record<string, Partial<OutgoingMessage>>> = {
  twilio: { channel: 'sms', to: '+14155550100' },
  sendgrid: {
    channel: 'email',
    to: 'ada@example.com',
    from: 'Acme, Inc. <hello@acme.example>',
    subject: 'Hi',
  },
  telegram: { channel: 'telegram', to: '5678' },
  line: { channel: 'line', to: 'U4af4980629' },
  slack: { channel: 'slack', to: 'T061:U123' },
  messenger: { channel: 'messenger', to: '300:5678' },
  instagram: { channel: 'instagram', to: '178:5678' },
  'whatsapp-cloud': { channel: 'whatsapp', to: '14155550100' },
};

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A sender over HTTP whose vendor gives one answer, or none; its requests are kept. */
export const open = (id: string, answer: Answer | Error, secret: unknown = secrets[id]) => {
  const requests: Sent[] = [];
  const built = httpSenderOf(id)?.build({
    async fetch(input, init) {
      const request = new Request(input, init);
      const { method, url, headers } = request;
      requests.push({ method, url, headers, body: await request.text() });
      if (answer instanceof Error) throw answer;
      const [status, body, more = {}] = answer;
      return typeof body === 'object'
        ? Response.json(body, { status, headers: more })
        : new Response(body === undefined ? null : String(body), { status, headers: more });
    },
    timeLimit: () => AbortSignal.timeout(10_000),
    secret: async () => secret,
    publicUrl: 'https://hub.example',
  });
  const send = (message: Partial<OutgoingMessage> = {}): Promise<string> =>
    built?.send({
      ...{ id: 'hello.cause', channel: 'sms', category: 'service', to: '', text: 'Hi <Ada> & co' },
      ...messages[id],
      ...message,
    }) ?? Promise.reject(new Error(`no sender ${id}`));
  return { send, check: () => built?.check?.() ?? Promise.reject(new Error(id)), requests };
};

/** How a send ended: an id, `never`, why it waits (and for how many seconds), or doubt. */
export const ending = (sending: Promise<string>): Promise<unknown> =>
  sending.catch((error: unknown) => {
    if (error instanceof NotNow)
      return typeof error.retry === 'object' ? [error.why, error.retry.afterSeconds] : error.why;
    return isRefusal(error) ? error.retry : 'in doubt';
  });
