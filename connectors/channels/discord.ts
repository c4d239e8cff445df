// https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint
// Discord sends a wrongly signed ping on purpose now and then, and removes the address unless the answer is 401.

import { memberOf, parseJson } from '../../core/formats/payload.ts';
import { epochSeconds, missingHeader } from '../../core/webhooks/authentication.ts';
import { accepted, answered, channel, refused } from '../../core/webhooks/channel.ts';
import { isFresh, verifyEd25519 } from '../../core/webhooks/signature.ts';

const SIGNATURE = 'x-signature-ed25519';
const TIMESTAMP = 'x-signature-timestamp';
/** A person waits three seconds for an answer; webhook events are retried for ten minutes. */
const TOLERANCE_SECONDS = 900;
const json = { 'content-type': 'application/json' };

export const discord = channel({
  id: 'discord',
  title: 'Discord (interactions, webhook events)',
  docs: 'https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint',
  secrets: {
    publicKey: { about: 'the Public Key of the application (General Information)', isPublic: true },
  },
  schemes: { ed25519: { covers: 'body', time: { toleranceSeconds: TOLERANCE_SECONDS } } },
  content: {
    hosts: /^(?:cdn\.discordapp\.com|media\.discordapp\.net)$/u,
    authorise: (url) => ({ url }),
  },
  verify(request, { secrets, now }) {
    const missing = missingHeader(request, SIGNATURE, TIMESTAMP);
    if (missing) return missing;
    const { [SIGNATURE]: signature = '', [TIMESTAMP]: timestamp = '' } = request.headers;
    const signed = Buffer.concat([Buffer.from(timestamp), request.body]);
    const matches = secrets.publicKey.map((key) => verifyEd25519(key, signed, Buffer.from(signature, 'hex')));
    if (!matches.includes(true)) return refused('the signature does not match; check the Public Key');
    if (!isFresh(epochSeconds(timestamp), now, TOLERANCE_SECONDS))
      return refused(`the request was signed more than ${TOLERANCE_SECONDS} seconds ago, or in the future`);
    const body = parseJson(request.body);
    const type = memberOf(body, 'type');
    // Webhook events have `version` and an `event`; their type 0 is a ping and their type 1 an event.
    if (type === 0) return answered('ed25519', { status: 204 });
    if (memberOf(body, 'event') !== undefined)
      return accepted('ed25519', request, { answer: { status: 204 } });
    if (type === 1) return answered('ed25519', { status: 200, headers: json, body: '{"type":1}' });
    const answer = { status: 200, headers: json, body: acknowledgement(type) };
    return accepted('ed25519', request, { answer });
  },
});

/** A click is acknowledged without a visible change; a command and a form need a reply of some kind. */
const acknowledgement = (type: unknown): string => {
  if (type === 3) return '{"type":6}';
  if (type === 4) return '{"type":8,"data":{"choices":[]}}';
  return '{"type":5,"data":{"flags":64}}';
};
