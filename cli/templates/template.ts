import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { templateFaults, templatePath, templateRemarks } from '../../core/triggers/message/faults.ts';
import { inventedVariables } from '../../core/triggers/message/invented.ts';
import { previewTemplate } from '../../core/triggers/message/preview.ts';
import { fileFor, fileMeaning, media, type TemplateFiles } from '../../core/triggers/template-files.ts';
import { hubOfEnvironment } from '../client/environment.ts';
import { type FilePreview, previewFor, sendTemplateTest } from '../client/messages/templates.ts';
import { CONNECTION_HELP } from '../command.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { sanitizeJson, sanitizeLines } from '../terminal/sanitize.ts';
import { localLanguage, localTemplate, localTemplates, localTrigger, triggersByTemplate } from './local.ts';
import { previewLines } from './show.ts';

export const usage = `Usage: hub template list
       hub template check [ID…]
       hub template preview ID [--channel email] [--language it] [--trigger T] [--customer WHO] [--html FILE] [--json]
       hub template send-test ID --to ADDRESS [--channel sms] [--language it] [--trigger T] [--customer WHO]

The templates are those of mappings/templates, or of the folder that HUB_MAPPINGS names.

  list       shows each template with its files and the triggers that send it.
  check      renders every file for an invented customer. ✗ is a fault, which a deploy and a publication refuse; ! is a
             remark. The exit code is 1 where there is a fault.
  preview    shows each file as its recipient gets it: sender, subject, preheader, text, the parts and the encoding of an SMS
             and what they are billed as, the parameters of a WhatsApp template. The recipient is invented; with --customer it
             is a customer of the running hub, by id or identifier (email:ada@example.com), with the newest interaction that
             sets the trigger off. --channel is email, sms, push or whatsapp (the approved template). --html writes the HTML
             of the e-mail to a file. The exit code is 1 where a file cannot be rendered.
  send-test  sends one message to an address through the sender of the running hub, marked [Test]. It counts for no limit and
             stands on no timeline; \`hub failures list\` shows it if the sender refuses it.

${CONNECTION_HELP}`;

const options = {
  channel: { type: 'string' },
  language: { type: 'string' },
  trigger: { type: 'string' },
  customer: { type: 'string' },
  html: { type: 'string' },
  to: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

/** `hub template …` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  const [verb, id, ...more] = positionals;
  if (verb === 'list' && id === undefined) return list();
  if (verb === 'check') return check(positionals.slice(1));
  if (verb === 'preview' && id !== undefined && more.length === 0) return preview(id, values);
  if (verb === 'send-test' && id !== undefined && more.length === 0) return sendTest(id, values);
  console.error(usage);
  return 2;
};

type Values = Readonly<Partial<Record<Exclude<keyof typeof options, 'json'>, string>>> & {
  readonly json: boolean;
};

const list = (): number => {
  const uses = triggersByTemplate();
  for (const [id, files] of Object.entries(localTemplates())) {
    const names = Object.keys(files).filter((file) => fileMeaning(file) !== undefined);
    const triggers = uses.get(id) ?? [];
    console.log(`${id}: ${names.join(', ')}`);
    console.log(`  ${triggers.length === 0 ? 'no trigger sends it' : `sent by ${triggers.join(', ')}`}`);
  }
  return 0;
};

const check = (ids: readonly string[]): number => {
  const chosen =
    ids.length === 0 ? Object.entries(localTemplates()) : ids.map((id) => [id, localTemplate(id)] as const);
  const hub = localLanguage();
  const faults = new Set(chosen.flatMap(([id, files]) => templateFaults(id, files)));
  const remarks = chosen.flatMap(([id, files]) =>
    templateFaults(id, files).length > 0
      ? []
      : [...templateRemarks(id, files), ...languageRemarks(id, files, hub)],
  );
  for (const line of faults) console.log(`✗ ${sanitizeLines(line)}`);
  for (const line of remarks) console.log(`! ${sanitizeLines(line)}`);
  console.log(`${chosen.length} templates: ${faults.size} faults, ${remarks.length} remarks`);
  return faults.size > 0 ? 1 : 0;
};

/** Media that customers without a file in their language do not get. */
const languageRemarks = (id: string, files: TemplateFiles, hub: string): string[] =>
  media
    .filter((medium) => Object.keys(files).some((file) => fileMeaning(file)?.medium === medium))
    .filter((medium) => fileFor(files, medium, { hub }) === undefined)
    .map((medium) => {
      const plain = medium === 'whatsapp' ? 'whatsapp.yaml' : `${medium}.liquid`;
      return `${templatePath(id, plain)} is missing: customers whose language has no ${medium} file, in a hub of the language ${hub}, get nothing by it (no-template)`;
    });

const mediumNamed = (channel: string | undefined): (typeof media)[number] | undefined => {
  if (channel === undefined) return undefined;
  const found = media.find((one) => one === channel);
  if (found) return found;
  throw badArguments(`--channel: expected ${media.join(', ')}; the text of chat channels is that of sms`);
};

const preview = async (id: string, values: Values): Promise<number> => {
  const medium = mediumNamed(values.channel);
  const items = values.customer === undefined ? invented(id, values) : await real(id, values);
  if (items.length === 0)
    throw badArguments(
      `The template ${id} has no file${medium ? ` for ${medium}` : ''}${values.language ? ` in ${values.language}` : ''}.`,
    );
  if (values.html !== undefined) {
    const html = items.find((one) => one.html !== undefined)?.html;
    if (html === undefined) throw badArguments('--html: there is no e-mail among what is shown');
    writeFileSync(values.html, html);
  }
  if (values.json) console.log(sanitizeJson({ template: id, items }, 2));
  else for (const one of items) console.log(`${previewLines(one).join('\n')}\n`);
  return items.some(({ fault }) => fault !== undefined) ? 1 : 0;
};

/** Throws `HubError` `invalid-arguments` with the faults of the template, if it has any. */
const invented = (id: string, { channel, language, trigger: named }: Values): FilePreview[] => {
  const files = localTemplate(id);
  const faults = templateFaults(id, files);
  if (faults.length > 0) throw badArguments(faults.join('\n'));
  const trigger = named === undefined ? undefined : localTrigger(named).trigger;
  const hub = localLanguage();
  return previewTemplate(id, files, (ofFile) => inventedVariables({ trigger, language: ofFile ?? hub }), {
    ...{ medium: mediumNamed(channel), hub },
    ...(language !== undefined && { languages: { customer: language, hub } }),
  });
};

const requestOf = (id: string, { language, trigger, customer }: Values) => ({
  template: id,
  files: localTemplate(id),
  ...(trigger !== undefined && { trigger: localTrigger(trigger).definition }),
  ...(customer !== undefined && { customer }),
  ...(language !== undefined && { language }),
});

const real = async (id: string, values: Values): Promise<FilePreview[]> => {
  const medium = mediumNamed(values.channel);
  const { items, customer, interaction } = await previewFor(hubOfEnvironment(), {
    ...requestOf(id, values),
    ...(medium && { medium }),
  });
  if (!values.json)
    console.log(
      `For the customer ${customer}${interaction === undefined ? '' : `, after the interaction ${interaction}`}:\n`,
    );
  return items;
};

const sendTest = async (id: string, values: Values): Promise<number> => {
  const { to } = values;
  if (to === undefined) throw badArguments('--to: expected an address such as you@example.com');
  const channel =
    values.channel ?? (to.includes('@') ? 'email' : /^\+?[\d ().-]+$/u.test(to) ? 'sms' : undefined);
  if (channel === undefined)
    throw badArguments('--channel: expected the channel of the address, such as email or sms');
  const sent = await sendTemplateTest(hubOfEnvironment(), { ...requestOf(id, values), to, channel });
  console.log(
    `Queued ${id}/${sent.file} for ${sent.to} as ${sent.id}. \`hub failures list\` shows it if the sender refuses it.`,
  );
  return 0;
};
