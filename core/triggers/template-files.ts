import * as z from 'zod';
import { Channel } from '../interaction/interaction.ts';
import type { TemplateChannels } from './channel-choice.ts';

/**
 * A template's files by name: `email.liquid`, `sms.liquid`, `push.liquid`, `whatsapp.yaml`, each also for a language
 * (`email.it.liquid`), and the layouts that its e-mails stand in (`layouts/default.liquid`).
 */
export type TemplateFiles = Readonly<Record<string, string>>;

/** What a template has a file for. `sms` is the text of every chat channel too; `whatsapp`, the approved template. */
export type Medium = 'email' | 'sms' | 'push' | 'whatsapp';
export const media: readonly Medium[] = ['email', 'sms', 'push', 'whatsapp'];

/** BCP 47 language tags by which a file is chosen, in this order. */
export interface Languages {
  readonly customer?: string | undefined;
  readonly hub?: string | undefined;
}

/** A file of a template and why it was chosen. */
export interface ChosenFile {
  readonly name: string;
  /** The tag in its name. */
  readonly language?: string;
  readonly because: "the customer's language" | "the hub's language" | 'without a language';
}

const LANGUAGE = '[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}';
const FILE = new RegExp(`^(email|sms|push|whatsapp)(?:\\.(${LANGUAGE}))?\\.(liquid|yaml)$`, 'u');

/** The medium and the language of a file; undefined where its name means nothing. */
export const fileMeaning = (
  name: string,
): { readonly medium: Medium; readonly language?: string } | undefined => {
  const [, prefix, language, extension] = FILE.exec(name) ?? [];
  const medium = media.find((one) => one === prefix);
  if (medium === undefined || (medium === 'whatsapp') !== (extension === 'yaml')) return undefined;
  return { medium, ...(language !== undefined && { language }) };
};

/**
 * The file for a medium: in the customer's language or its primary one (`it-CH`, then `it`), else in the hub's likewise, else
 * the one without a language. Undefined if there is none of these.
 */
export const fileFor = (
  files: TemplateFiles,
  medium: Medium,
  { customer, hub }: Languages = {},
): ChosenFile | undefined => {
  const names = Object.keys(files).filter((name) => fileMeaning(name)?.medium === medium);
  const inLanguage = (tag: string | undefined, because: ChosenFile['because']): ChosenFile | undefined => {
    for (const wanted of tagsOf(tag))
      for (const name of names) {
        const language = fileMeaning(name)?.language;
        if (language?.toLowerCase() === wanted) return { name, language, because };
      }
    return undefined;
  };
  const plain = names.find((name) => fileMeaning(name)?.language === undefined);
  return (
    inLanguage(customer, "the customer's language") ??
    inLanguage(hub, "the hub's language") ??
    (plain === undefined ? undefined : { name: plain, because: 'without a language' })
  );
};

/** A language tag in lower case, then its primary language. Systems also write `it_CH`. */
export const tagsOf = (tag = ''): readonly string[] => {
  const whole = tag.trim().toLowerCase().replaceAll('_', '-');
  const [primary = ''] = whole.split('-');
  return [...new Set([whole, primary])].filter((one) => one !== '');
};

/** The medium of a channel. `approved`: WhatsApp gets the approved template. */
export const mediumOf = (channel: Channel, approved = false): Medium => {
  if (approved) return 'whatsapp';
  return channel === 'email' || channel === 'push' ? channel : 'sms';
};

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

/** The channels that a template's files have a text for, in a language that the customer gets. */
export const templateChannels = (files: TemplateFiles, languages: Languages = {}): TemplateChannels => {
  const has = (medium: Medium): boolean => fileFor(files, medium, languages) !== undefined;
  return {
    channels: [
      ...(has('email') ? (['email'] as const) : []),
      ...(has('push') ? (['push'] as const) : []),
      ...(has('sms') ? textChannels : []),
    ],
    approvedWhatsApp: has('whatsapp'),
  };
};

/** Stands in for a missing template of a scenario: a text for every channel, no approved WhatsApp template. */
export const stubTemplate = (id: string): TemplateFiles => ({
  'email.liquid': `---\nsubject: ${JSON.stringify(id)}\n---\n${id}\n`,
  'sms.liquid': id,
  'push.liquid': `---\ntitle: ${JSON.stringify(id)}\n---\n${id}\n`,
});

/** A trigger as a file has it, with the templates that it names. `text`: YAML or JSON; `file`: as faults name it. */
export const GivenTrigger = z.strictObject({
  file: z.string().max(500).default('trigger'),
  text: z.string(),
  templates: z.record(z.string(), z.record(z.string(), z.string())),
});
export type GivenTrigger = z.output<typeof GivenTrigger>;
