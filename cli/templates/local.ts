import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseConfigFile } from '../../core/config/config-file.ts';
import { HubConfig } from '../../core/config/hub-config.ts';
import { nearestWord } from '../../core/config/nearest.ts';
import { templatesOf } from '../../core/triggers/publishing/publishable.ts';
import type { TemplateFiles } from '../../core/triggers/template-files.ts';
import { Trigger } from '../../core/triggers/trigger.ts';
import { configFileName, mappingsFolder, readTemplates } from '../../infra/stack/seed.ts';
import { badArguments } from '../terminal/bad-arguments.ts';

/** The templates of the working copy: `HUB_MAPPINGS`, else `mappings/`. */
export const localTemplates = (): Readonly<Record<string, TemplateFiles>> =>
  readTemplates(join(mappingsFolder(), 'templates'));

/** Throws `HubError` `invalid-arguments` with the nearest name. */
export const localTemplate = (id: string): TemplateFiles => {
  const all = localTemplates();
  const files = Object.hasOwn(all, id) ? all[id] : undefined;
  if (files) return files;
  const nearest = nearestWord(id, Object.keys(all));
  throw badArguments(
    `There is no template ${id} in ${mappingsFolder()}/templates. ${nearest === undefined ? `There are ${Object.keys(all).join(', ')}.` : `Did you mean ${nearest}?`}`,
  );
};

/** The language of the hub of the working copy. */
export const localLanguage = (): string =>
  HubConfig.parse(parse(readFileSync(join(mappingsFolder(), 'hub.yaml'), 'utf8')) ?? {}).language;

/** A trigger of the working copy by its id, validated and as it is written. Throws `HubError` `invalid-arguments`. */
export const localTrigger = (id: string): { readonly trigger: Trigger; readonly definition: unknown } => {
  const found = localTriggers().find(({ trigger }) => trigger.id === id);
  if (found) return found;
  throw badArguments(`There is no trigger ${id} in ${mappingsFolder()}/triggers.`);
};

const localTriggers = (): { readonly trigger: Trigger; readonly definition: unknown }[] => {
  const folder = join(mappingsFolder(), 'triggers');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      const definition: unknown = parse(text);
      return { trigger: parseConfigFile(configFileName(`triggers/${name}`), text, Trigger), definition };
    });
};

/** The triggers of the working copy by the templates that they name. */
export const triggersByTemplate = (): ReadonlyMap<string, readonly string[]> => {
  const all = localTriggers().flatMap(({ trigger }) =>
    templatesOf(trigger).map((template) => ({ template, trigger: trigger.id })),
  );
  return new Map(
    [...Map.groupBy(all, ({ template }) => template)].map(([template, uses]) => [
      template,
      uses.map(({ trigger }) => trigger),
    ]),
  );
};
