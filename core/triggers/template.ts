import { textOfHtml } from '../formats/html.ts';
import { liquidEngine, liquidMessage, RenderedHtml } from '../formats/liquid.ts';
import { type Customer, nameParts } from '../identity/customer.ts';
import type { Channel, Interaction, PersonName } from '../interaction/interaction.ts';
import { atBodyEnd, atBodyStart, plainFooter } from './message/email.ts';
import { footerFor, layoutFor } from './message/layout.ts';
import { readApproved, readSource, templateFailure } from './message/source.ts';
import { fileFor, fileMeaning, type Languages, mediumOf, type TemplateFiles } from './template-files.ts';
import type { Trigger } from './trigger.ts';

/** A rendered message for one channel. */
export interface Rendered {
  readonly text: string;
  readonly html?: string;
  readonly subject?: string;
  /** What mail programs show beside the subject; it stands, hidden, in `html`. */
  readonly preheader?: string;
  readonly from?: string;
  readonly template?: {
    readonly name: string;
    readonly language: string;
    readonly parameters: readonly string[];
  };
}

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

/** What a template can show. */
export interface TemplateVariables {
  readonly customer: object;
  readonly interaction: object;
  readonly trigger: Pick<Trigger, 'id' | 'name' | 'category'>;
  readonly links: Links;
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
): TemplateVariables => ({
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

/** How the file of a template is chosen. `file`: the name of one that was chosen before. */
export interface RenderOptions extends Languages {
  readonly file?: string | undefined;
}

/**
 * Renders a template for one channel, with values escaped for HTML where the medium is HTML. `approved`: fill the approved
 * WhatsApp template instead of the text. An e-mail stands in its layout; a marketing e-mail that has no unsubscribe link gets
 * a footer with one. Throws `HubError` `template-failure` if a variable is missing, a header would contain a line break, or
 * the template has no file for the channel.
 */
export const renderTemplate = (
  id: string,
  files: TemplateFiles,
  channel: Channel,
  variables: TemplateVariables,
  approved: boolean,
  { file: known, ...languages }: RenderOptions = {},
): Rendered => {
  const medium = mediumOf(channel, approved);
  const file = known ?? fileFor(files, medium, languages)?.name;
  const source = file === undefined ? undefined : files[file];
  if (file === undefined || source === undefined)
    throw templateFailure(
      `The template ${id} has no ${medium}.${medium === 'whatsapp' ? 'yaml' : 'liquid'} for this customer.`,
    );
  const fill: Fill = (kind, text, more = {}) => {
    try {
      return String(engines[kind].parseAndRenderSync(text, { ...variables, ...more }));
    } catch (error) {
      throw templateFailure(
        `The template ${id} cannot be rendered for ${channel}: ${liquidMessage(error)}. Give the variable a \`default\` or correct its name.`,
        error,
      );
    }
  };
  const header = (text: string): string => {
    const value = fill('text', text).trim();
    if (/[\r\n]/u.test(value))
      throw templateFailure(
        `The template ${id} would put a line break into a header of its ${channel} message.`,
      );
    return value;
  };
  if (approved) {
    const { name, language, parameters } = readApproved(file, source);
    // WhatsApp refuses line breaks, tabs and runs of spaces in a parameter.
    const filled = parameters.map((one) => fill('text', one).replace(/\s+/gu, ' ').trim());
    return { text: filled.join(' '), template: { name, language, parameters: filled } };
  }
  const { front, body } = readSource(file, source);
  const subject = front.subject ?? front.title;
  const heads = {
    ...(subject !== undefined && { subject: header(subject) }),
    ...(front.from !== undefined && { from: header(front.from) }),
  };
  if (channel !== 'email') return { ...heads, text: fill('text', body).trim() };
  const language = fileMeaning(file)?.language;
  const layout = layoutFor(files, front.layout, language);
  if (layout === 'missing')
    throw templateFailure(`The template ${id} has no layout ${front.layout}, which its ${file} names.`);
  const content = fill('html', body);
  const whole = layout ? fill('html', layout.source, { content: new RenderedHtml(content) }) : content;
  const html = withFooter(
    whole,
    variables,
    () => {
      const footer = footerFor(files, language);
      return footer && fill('html', footer.source);
    },
    language ?? languages.hub,
  );
  const text = textOfHtml(html, { links: true });
  if (front.preheader === undefined) return { ...heads, html, text };
  const hidden = `<div style="display:none">${fill('html', front.preheader)}</div>\n`;
  return {
    ...heads,
    ...{ preheader: fill('text', front.preheader).trim(), html: atBodyStart(html, hidden), text },
  };
};

type Fill = (kind: 'html' | 'text', source: string, more?: object) => string;

/** `footer`: the business's own, if it has one. */
const withFooter = (
  html: string,
  { trigger, links: { unsubscribe } }: TemplateVariables,
  footer: () => string | undefined,
  language: string | undefined,
): string => {
  if (trigger.category !== 'marketing' || unsubscribe === undefined || html.includes(unsubscribe))
    return html;
  const own = footer();
  return atBodyEnd(html, own?.includes(unsubscribe) ? own : (own ?? '') + plainFooter(unsubscribe, language));
};
