import type { Available } from './decision.ts';
import { Channel } from './interaction.ts';

/** A template's files by name: email.liquid, sms.liquid, push.liquid, whatsapp.yaml. */
export type TemplateFiles = Readonly<Record<string, string>>;

/** Text channels share sms.liquid. */
const textChannels = Channel.options.filter(
  (channel) => !['email', 'push', 'voice', 'form', 'web', 'in-person', 'crm'].includes(channel),
);

/** Which media a template's files can serve. */
export const available = (files: TemplateFiles): Available => ({
  channels: [
    ...(files['email.liquid'] === undefined ? [] : (['email'] as const)),
    ...(files['push.liquid'] === undefined ? [] : (['push'] as const)),
    ...(files['sms.liquid'] === undefined
      ? files['whatsapp.yaml'] === undefined
        ? []
        : (['whatsapp'] as const)
      : textChannels),
  ],
  approvedWhatsApp: files['whatsapp.yaml'] !== undefined,
});
