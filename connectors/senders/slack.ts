// https://docs.slack.dev/reference/methods/chat.postMessage
// Errors come inside a 200. An error that Slack calls fatal or internal may have come after the message was posted. A user id
// as channel opens the direct messages of the app with that person. There is no idempotency key.

import * as z from 'zod';
import { memberOf } from '../../core/formats/payload.ts';
import { httpSender, type VendorErrors } from '../../core/triggers/sending/http-sender.ts';
import { refusal } from '../../core/triggers/sending/sender.ts';

const API = 'https://slack.com/api';
const Sent = z.looseObject({ channel: z.string(), ts: z.string() });
const Team = z.looseObject({ team: z.string(), user: z.string().optional() });

const SCOPE = 'Add the scope chat:write under OAuth & Permissions and install the app again.';
const errors: readonly VendorErrors[] = [
  { means: 'rate', codes: ['ratelimited', 'rate_limited'] },
  { means: 'down', codes: ['service_unavailable'] },
  { means: 'unknown', codes: ['fatal_error', 'internal_error', 'request_timeout'] },
  {
    means: 'account',
    codes: ['invalid_auth', 'not_authed', 'token_expired', 'token_revoked', 'account_inactive'],
  },
  { means: 'account', codes: ['missing_scope', 'no_permission', 'not_allowed_token_type'], advice: SCOPE },
  { means: 'account', codes: ['message_limit_exceeded'], advice: 'The workspace is at its limit.' },
  {
    means: 'never',
    codes: ['channel_not_found', 'not_in_channel', 'is_archived', 'user_not_found'],
    advice: 'Is the channel of hub.yaml, or the person, in the workspace? Invite the app to the channel.',
  },
];

/** https://docs.slack.dev/messaging/formatting-message-text#escaping: all other characters stand for themselves. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const bearer = (botToken: string) => ({ authorization: `Bearer ${botToken}` });

export const slack = httpSender({
  id: 'slack',
  title: 'Slack',
  docs: 'https://docs.slack.dev/reference/methods/chat.postMessage',
  provider: 'slack',
  channels: ['slack'],
  vendor: 'Slack',
  secrets: { botToken: { about: 'the bot token (xoxb-…) with the scope chat:write (OAuth & Permissions)' } },
  // https://docs.slack.dev/apis/web-api/rate-limits: one message a second to each channel.
  usual: { rate: { count: 1, windowMs: 1000 } },
  codeOf: ({ body }) => z.string().optional().catch(undefined).parse(memberOf(body, 'error')),
  errors,
  async send(message, { secret: { botToken }, request }) {
    const json = {
      // The value of an identifier is `<team>:<user>`, and that of a team in hub.yaml a channel.
      channel: message.to.slice(message.to.indexOf(':') + 1),
      text: escaped(message.text),
      ...{ mrkdwn: false, unfurl_links: false, unfurl_media: false },
    };
    const { body } = await request({ url: `${API}/chat.postMessage`, headers: bearer(botToken), json }, Sent);
    return `${body.channel}:${body.ts}`;
  },
  async check({ secret: { botToken }, request }) {
    const { body, headers } = await request(
      { url: `${API}/auth.test`, headers: bearer(botToken), json: {} },
      Team,
    );
    const scopes = headers.get('x-oauth-scopes')?.split(/,\s*/u) ?? ['chat:write'];
    if (!scopes.includes('chat:write')) throw refusal(`The token lacks the scope chat:write. ${SCOPE}`);
    return `${body.user ?? 'an app'} in the workspace ${body.team}`;
  },
});
