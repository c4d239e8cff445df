import type { Template } from 'liquidjs';
import { parse } from 'yaml';
import * as z from 'zod';
import { HubError } from '../errors.ts';
import { textOfHtml } from '../formats/html.ts';
import { liquidEngine, liquidMessage } from '../formats/liquid.ts';
import { readMailbox } from '../formats/mail/mime.ts';
import { type Customer, nameParts } from '../identity/customer.ts';
import type { Channel, Interaction, PersonName } from '../interaction/interaction.ts';
import type { TemplateFiles } from './template-files.ts';
import type { Trigger } from './trigger.ts';

/** A rendered message for one channel. */
export interface Rendered {
  readonly text: string;
  readonly html?: string;
  readonly subject?: string;
  readonly from?: string;
  readonly template?: {
    readonly name: string;
    readonly language: string;
    readonly parameters: readonly string[];
  };
}

const FrontMatter = z.strictObject({
  subject: z.string().optional(),
  preheader: z.string().optional(),
  from: z.string().optional(),
  title: z.string().optional(),
});
const WhatsAppTemplate = z.strictObject({
  name: z.string(),
  language: z.string().default('en'),
  parameters: z.array(z.string()).default([]),
});

const engines = {
  html: liquidEngine({ medium: 'html', missing: 'error' }),
  text: liquidEngine({ medium: 'text', missing: 'error' }),
};

/** The links of the address to which the message goes; a message to a team has none. */
export interface Links {
  /** The URL that ends marketing to the address on the channel of the message. */
  readonly unsubscribe?: string;
  /** The URL of the preferences page of the address. */
  readonly preferences?: string;
  /** The URL of the page whose button confirms an opt-in and proves the address. */
  readonly confirm?: string;
}

/**
 * The variables of a template. An unknown field of the customer is absent: a template must use the filter `default` or an
 * `if` for it.
 */
export const variablesFor = (
  trigger: Pick<Trigger, 'id' | 'name' | 'category'>,
  customer: Pick<
    Customer,
    'id' | 'name' | 'language' | 'timeZone' | 'stage' | 'tags' | 'traits' | 'preferences'
  >,
  { id, kind, channel, provider, direction, occurredAt, ...cause }: Interaction,
  links: Links,
): object => ({
  customer: {
    id: customer.id,
    name: withoutLinks(nameParts(customer.name)),
    language: customer.language,
    timeZone: customer.timeZone,
    stage: customer.stage,
    tags: customer.tags,
    traits: customer.traits,
    preferences: customer.preferences,
  },
  interaction: {
    ...{ id, kind, channel, provider, direction, occurredAt },
    text: cause.text,
    subject: cause.subject,
    attachments: cause.attachments ?? [],
    properties: cause.properties ?? {},
  },
  trigger: { id: trigger.id, name: trigger.name ?? trigger.id, category: trigger.category },
  links,
});

/** People choose their names themselves: none becomes a link, an address or an encoded word in what the business sends. */
const withoutLinks = (name: PersonName): PersonName =>
  Object.fromEntries(
    Object.entries(name).map(([part, text = '']) => [
      part,
      text
        .replace(/[:/\\@]|=\?|\?=|(?<=[\p{L}\p{N}])\.(?=[\p{L}\p{N}])/gu, ' ')
        .replace(/\s+/gu, ' ')
        .trim(),
    ]),
  );

/** The variables of `variablesFor` in words; `.…` allows any path below. */
export const templateVariables: Readonly<Record<string, string>> = {
  'customer.id': "the hub's id of the customer",
  'customer.name.full': 'the whole name',
  'customer.name.first': 'the first name',
  'customer.name.last': 'the last name',
  'customer.language': 'the language, such as `it`',
  'customer.timeZone': 'the time zone, such as `Europe/Rome`',
  'customer.stage': 'the stage, such as `lead`',
  'customer.tags': 'the tags, a list',
  'customer.traits.…': 'a trait, such as `customer.traits.plan`',
  'customer.preferences.channel': 'the channel that the customer chose',
  'interaction.id': 'the id of the interaction that set the trigger off',
  'interaction.kind': 'its kind, such as `order`',
  'interaction.channel': 'its channel',
  'interaction.provider': 'who reported it',
  'interaction.direction': '`inbound`, `outbound` or `system`',
  'interaction.occurredAt': 'when it happened, in UTC',
  'interaction.text': 'its text',
  'interaction.subject': 'its subject',
  'interaction.attachments': 'its files, a list',
  'interaction.properties.…': 'a property, such as `interaction.properties.order`',
  'trigger.id': 'the id of the trigger',
  'trigger.name': 'its name',
  'trigger.category': 'its category',
  'links.unsubscribe': 'the page that ends marketing to this address',
  'links.preferences': 'the page of the choices of this address',
  'links.confirm': 'the page whose button confirms an opt-in',
};

/**
 * The errors of a template, one line each: invalid Liquid, and variables that no message has. `hasCause`: whether an interaction
 * sets off the trigger that sends it, so that there are variables of it.
 */
export const templateFaults = (id: string, files: TemplateFiles, hasCause = true): string[] =>
  Object.entries(files).flatMap(([file, source]) => {
    const where = `mappings/templates/${id}/${file}`;
    try {
      const sources = sourcesOf(file, source);
      if (file === 'email.liquid') expectMailbox(splitFrontMatter(file, source).front.from);
      return sources
        .flatMap((text) => engines.text.globalVariableSegmentsSync(engines.text.parse(text)))
        .filter((segments) => !isKnownVariable(segments) || (!hasCause && segments[0] === 'interaction'))
        .map(
          (segments) =>
            `${where}: there is no variable ${segments.map(String).join('.')}${hasCause ? '' : ' in a template of a trigger with each'}`,
        );
    } catch (error) {
      return [`${where}: ${liquidMessage(error)}`];
    }
  });

/** Throws `HubError` `template-failure` for a sender that no mail could have; one with variables is known when it is sent. */
const expectMailbox = (from: string | undefined): void => {
  if (from !== undefined && !/\{[{%]/u.test(from)) readMailbox(from);
};

/** The sender that the e-mail of a template names, if it names one; not validated. Throws `HubError` `template-failure`. */
export const senderOf = ({ 'email.liquid': source = '' }: TemplateFiles): string | undefined =>
  splitFrontMatter('email.liquid', source).front.from;

/** Also the beginning of one, such as `customer.name`, and what is inside `tags` or `attachments`. */
const isKnownVariable = (segments: readonly unknown[]): boolean =>
  Object.keys(templateVariables).some((path) => {
    const known = path.split('.').filter((part) => part !== '…');
    return segments.every((segment, at) => at >= known.length || segment === known[at]);
  });

const sourcesOf = (file: string, source: string): string[] => {
  if (file === 'whatsapp.yaml') return readYaml(file, WhatsAppTemplate, source).parameters;
  const { front, body } = splitFrontMatter(file, source);
  return [...Object.values(front).filter((text) => text !== undefined), body];
};

const templateFailure = (what: string, cause?: unknown): HubError =>
  new HubError('template-failure', what, { retry: 'never', cause });

/**
 * Renders a template for one channel, with values escaped for HTML where the medium is HTML. `approved`: fill the approved
 * WhatsApp template instead of the text. Throws `HubError` `template-failure` if a variable is missing, a header would
 * contain a line break, or the template has no file for the channel.
 */
export const renderTemplate = (
  id: string,
  files: TemplateFiles,
  channel: Channel,
  variables: object,
  approved: boolean,
): Rendered => {
  const fill = (medium: 'html' | 'text', source: string): string => {
    try {
      const parsed: Template[] = engines[medium].parse(source);
      return String(engines[medium].renderSync(parsed, variables));
    } catch (error) {
      throw templateFailure(
        `The template ${id} cannot be rendered for ${channel}: ${liquidMessage(error)}. Give the variable a \`default\` or correct its name.`,
        error,
      );
    }
  };
  const header = (source: string): string => {
    const value = fill('text', source).trim();
    if (/[\r\n]/u.test(value))
      throw templateFailure(
        `The template ${id} would put a line break into a header of its ${channel} message.`,
      );
    return value;
  };
  if (approved) {
    const yaml = files['whatsapp.yaml'] ?? '';
    const { name, language, parameters } = readYaml('whatsapp.yaml', WhatsAppTemplate, yaml);
    // WhatsApp refuses line breaks, tabs and runs of spaces in a parameter.
    const filled = parameters.map((one) => fill('text', one).replace(/\s+/gu, ' ').trim());
    return { text: filled.join(' '), template: { name, language, parameters: filled } };
  }
  const file = channel === 'email' ? 'email.liquid' : channel === 'push' ? 'push.liquid' : 'sms.liquid';
  const source = files[file];
  if (source === undefined) throw templateFailure(`The template ${id} has no ${file}.`);
  const { front, body } = splitFrontMatter(file, source);
  const subject = front.subject ?? front.title;
  const heads = {
    ...(subject !== undefined && { subject: header(subject) }),
    ...(front.from !== undefined && { from: header(front.from) }),
  };
  if (channel !== 'email') return { ...heads, text: fill('text', body).trim() };
  const html = fill('html', body);
  const preheader =
    front.preheader === undefined ? '' : `<div style="display:none">${fill('html', front.preheader)}</div>\n`;
  return { ...heads, html: preheader + html, text: textOfHtml(html, { links: true }) };
};

const splitFrontMatter = (
  file: string,
  source: string,
): { front: z.infer<typeof FrontMatter>; body: string } => {
  const match = /^---\r?\n(.*?)\r?\n---(?:\r?\n(.*))?$/su.exec(source);
  if (match === null) return { front: {}, body: source };
  const front = readYaml(`the front matter of ${file}`, FrontMatter, match[1] ?? '');
  return { front, body: match[2] ?? '' };
};

const readYaml = <Schema extends z.ZodType>(what: string, schema: Schema, text: string): z.output<Schema> => {
  const read = schema.safeParse(parse(text) ?? {});
  if (read.success) return read.data;
  const faults = read.error.issues.map(({ path, message }) => [...path, message].map(String).join(': '));
  throw templateFailure(`${what} is not valid: ${faults.join('; ')}`);
};
