import type { ChannelConnector } from '../../core/channel.ts';
import { mailgun } from './mailgun.ts';
import { meta } from './meta.ts';
import { postmark } from './postmark.ts';
import { sendgrid } from './sendgrid.ts';
import { standard } from './standard.ts';
import { twilio } from './twilio.ts';

/** Every provider whose webhooks the hub can authenticate, by id. */
export const channels: Readonly<Record<string, ChannelConnector>> = {
  // One line each, so that adding one touches nothing else.
  mailgun,
  meta,
  postmark,
  sendgrid,
  standard,
  twilio,
};
