import type { ChannelConnector } from '../../core/channel.ts';
import { meta } from './meta.ts';
import { sendgrid } from './sendgrid.ts';
import { standard } from './standard.ts';
import { twilio } from './twilio.ts';

/** Every provider whose webhooks the hub can authenticate, by id. */
export const channels: Readonly<Record<string, ChannelConnector>> = {
  // One line each, so that adding one touches nothing else.
  meta,
  sendgrid,
  standard,
  twilio,
};
