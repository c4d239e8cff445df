import { parseJson } from '../../core/formats/payload.ts';
import { accepted, answered, channel, refused } from '../../core/webhooks/channel.ts';
import { ed25519, isFresh } from '../../core/webhooks/signature.ts';

// Discord now and then sends a badly signed ping on purpose and takes the address away unless it is answered with 401.

const SIGNATURE = 'x-signature-ed25519';
const TIMESTAMP = 'x-signature-timestamp';
/** A person waits three seconds for an answer, and webhook events are tried for ten minutes. */
const TOLERANCE_SECONDS = 900;
const json = { 'content-type': 'application/json' };

export const discord = channel({
  id: 'discord',
  title: 'Discord (interactions, webhook events)',
  docs: 'https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint',
  secrets: { publicKey: { about: 'the Public Key of the application (General Information)' } },
  content: {
    hosts: /cdn\.discordapp\.com|media\.discordapp\.net/u,
    authorise: (url) => ({ url }),
  },
  verify(request, { secrets, now }) {
    const [signature, timestamp] = [request.headers[SIGNATURE], request.headers[TIMESTAMP]];
    if (signature === undefined || timestamp === undefined)
      return refused(`the header ${signature === undefined ? SIGNATURE : TIMESTAMP} is missing`);
    const signed = Buffer.concat([Buffer.from(timestamp), request.body]);
    const right = secrets.publicKey.map((key) => ed25519(key, signed, Buffer.from(signature, 'hex')));
    if (!right.includes(true)) return refused('the signature does not match; check the Public Key');
    if (!/^\d{1,12}$/u.test(timestamp) || !isFresh(Number(timestamp) * 1000, now, TOLERANCE_SECONDS))
      return refused('the request was signed more than a quarter of an hour ago, or in the future');
    const body = parseJson(request.body);
    const told = (key: string): unknown =>
      typeof body === 'object' && body !== null ? Reflect.get(body, key) : undefined;
    // Webhook events carry `version` and an `event`; their type 0 is a ping and their type 1 an event.
    const isWebhookEvent = told('type') === 0 || told('event') !== undefined;
    if (isWebhookEvent)
      return told('type') === 0 ? answered({ status: 204 }) : accepted(request, { status: 204 });
    if (told('type') === 1) return answered({ status: 200, headers: json, body: '{"type":1}' });
    // A click is acknowledged without a visible change; a command and a form need an answer of some kind.
    return accepted(request, { status: 200, headers: json, body: acknowledgement(told('type')) });
  },
});

const acknowledgement = (type: unknown): string => {
  if (type === 3) return '{"type":6}';
  if (type === 4) return '{"type":8,"data":{"choices":[]}}';
  return '{"type":5,"data":{"flags":64}}';
};
