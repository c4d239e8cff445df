import { Channel } from '../interaction/interaction.ts';
import type { TemplateChannels } from './channel-choice.ts';

/** A template's files by name: email.liquid, sms.liquid, push.liquid, whatsapp.yaml. */
export type TemplateFiles = Readonly<Record<string, string>>;

/** Channels that do not use sms.liquid, which is also the text of every chat channel. */
const otherMedia: ReadonlySet<Channel> = new Set<Channel>([
  'email',
  'push',
  'voice',
  'form',
  'web',
  'in-person',
  'crm',
]);
const textChannels = Channel.options.filter((channel) => !otherMedia.has(channel));

/** The channels that a template's files have a text for. */
export const templateChannels = (files: TemplateFiles): TemplateChannels => ({
  channels: [
    ...(files['email.liquid'] === undefined ? [] : (['email'] as const)),
    ...(files['push.liquid'] === undefined ? [] : (['push'] as const)),
    ...(files['sms.liquid'] === undefined ? [] : textChannels),
  ],
  approvedWhatsApp: files['whatsapp.yaml'] !== undefined,
});

/** Stands in for a missing template of a scenario: a text for every channel, no approved WhatsApp template. */
export const stubTemplate = (id: string): TemplateFiles => ({
  'email.liquid': `---\nsubject: ${JSON.stringify(id)}\n---\n${id}\n`,
  'sms.liquid': id,
  'push.liquid': `---\ntitle: ${JSON.stringify(id)}\n---\n${id}\n`,
});
