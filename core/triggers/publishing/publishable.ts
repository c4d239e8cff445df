import { type LocatedFault, lineFinder, readConfigFile } from '../../config/config-file.ts';
import type { HubConfig } from '../../config/hub-config.ts';
import { HubError } from '../../errors.ts';
import { parsePattern } from '../pattern/index.ts';
import { sendsOf } from '../series/steps.ts';
import { type GivenTrigger, type TemplateFiles, templateChannels } from '../template-files.ts';
import { rulePattern, Trigger } from '../trigger.ts';
import type { PublishFault } from './fault.ts';
import { teamFaults } from './teams.ts';

/** The most characters of an event pattern. */
export const PATTERN_LIMIT = 2048;

/** The templates that a trigger names. */
export const templatesOf = (trigger: Trigger): string[] => [
  ...new Set(
    sendsOf(trigger).flatMap(({ template, variants }) => [template, ...variants.map((one) => one.template)]),
  ),
];

/** The characters of the event pattern of a trigger's rule. */
export const patternLength = (trigger: Trigger): number => JSON.stringify(rulePattern(trigger)).length;

/**
 * What a deploy and publishing refuse of a trigger besides its schema; empty where it can be published. `hub` is the
 * configuration whose teams and office hours a trigger may name.
 */
export const publishFaults = (
  trigger: Trigger,
  templates: Readonly<Record<string, unknown>>,
  hub?: Pick<HubConfig, 'teams' | 'hours'>,
): PublishFault[] => {
  const length = patternLength(trigger);
  const refusal = refusalOf(trigger);
  const missing = templatesOf(trigger).filter((id) => templates[id] === undefined);
  return [
    ...(length > PATTERN_LIMIT
      ? [
          {
            code: 'oversized-pattern' as const,
            path: ['on'],
            message: `The pattern of ${trigger.id} has ${length} characters; EventBridge takes ${PATTERN_LIMIT}. Say less in \`on\`${trigger.steps === undefined ? '' : ' and `await`'} and more in \`where\`.`,
          },
        ]
      : []),
    ...(refusal === undefined
      ? []
      : [{ code: 'invalid-pattern' as const, path: ['steps'], message: refusal }]),
    ...(missing.length > 0
      ? [
          {
            code: 'missing-template' as const,
            path: [trigger.send === undefined ? 'steps' : 'send'],
            message: `The trigger ${trigger.id} names the template ${missing.join(', ')}, which is not in mappings/templates.`,
          },
        ]
      : []),
    ...(hub === undefined ? [] : teamFaults(trigger, hub)),
  ];
};

/** A trigger as it was read from a file; `definition` is what the file says, without defaults. */
export interface ReadTrigger {
  readonly trigger: Trigger;
  readonly definition: unknown;
}

/**
 * Reads a trigger file and does every check of publishing that needs no bus: the trigger, or all faults with their places.
 * `templateFaults`: of one template, a line each.
 */
export const readTriggerFile = (
  { file, text, templates }: GivenTrigger,
  hub: Pick<HubConfig, 'teams' | 'hours'>,
  templateFaults: (id: string, files: TemplateFiles, hasCause: boolean) => string[],
): ReadTrigger | { readonly faults: readonly LocatedFault[] } => {
  const read = readConfigFile(file, text, Trigger);
  if ('faults' in read) return read;
  const { value: trigger, written: definition } = read;
  const line = lineFinder(text);
  const faults = publishFaults(trigger, templates, hub).map(({ path, message }) => ({
    ...{ file, line: line(path), key: path.map(String).join('.'), message },
  }));
  const inTemplates = templatesOf(trigger).flatMap((id) =>
    templateFaults(id, templates[id] ?? {}, trigger.each === undefined).map((fault) => {
      const [, place = `mappings/templates/${id}`, at = '1', message = fault] =
        /^(\S+?)(?::(\d+))?: (.*)$/su.exec(fault) ?? [];
      return { file: place, line: Number(at), key: '', message };
    }),
  );
  return faults.length + inTemplates.length > 0
    ? { faults: [...faults, ...inTemplates] }
    : { trigger, definition };
};

/** What publishing accepts and a marketer may not want: channels of the list for which no template has a text. */
export const publishWarnings = (
  trigger: Trigger,
  templates: Readonly<Record<string, TemplateFiles>>,
): string[] =>
  sendsOf(trigger).flatMap(({ template, variants, channels = [] }) =>
    [template, ...variants.map((one) => one.template)].flatMap((id) => {
      const written = templateChannels(templates[id] ?? {});
      return channels
        .filter((one) => one !== 'preferred' && !written.channels.includes(one))
        .filter((one) => !(one === 'whatsapp' && written.approvedWhatsApp))
        .map(
          (one) => `The template ${id} has no text for ${one}: that channel is passed over (no-template).`,
        );
    }),
  );

/** Why EventBridge would refuse the one pattern of what sets a series off and what it awaits; each alone is valid. */
const refusalOf = (trigger: Trigger): string | undefined => {
  try {
    parsePattern(rulePattern(trigger));
    return undefined;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    return `The trigger ${trigger.id} cannot await what it awaits beside its \`on\`: ${error.message}`;
  }
};
