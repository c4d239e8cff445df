import type { ChannelMapping } from '../../core/channel.ts';
import { meta } from './meta.ts';
import { sendgrid } from './sendgrid.ts';
import { standard } from './standard.ts';
import { twilio } from './twilio.ts';

/** Every provider whose payloads the hub understands, by id. */
export const mappings: Readonly<Record<string, ChannelMapping>> = {
  // One line each, so that adding one touches nothing else.
  meta,
  sendgrid,
  standard,
  twilio,
};
