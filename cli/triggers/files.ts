import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { parse } from 'yaml';
import { HubError } from '../../core/errors.ts';
import { mappingsFolder, readTemplates } from '../../infra/stack/seed.ts';
import type { GivenTrigger } from '../client/triggers/triggers.ts';

/** A trigger file as it is sent to the hub; `id` is the one that it gives itself, or its name where it gives none. */
export interface TriggerFile extends GivenTrigger {
  readonly id: string;
}

/**
 * Reads a trigger file, by its path or its name in the triggers folder of HUB_MAPPINGS (default: mappings/), and the
 * templates of that folder. Throws `HubError` `invalid-arguments` where there is no such file.
 */
export const readTriggerFile = (name: string): TriggerFile => {
  const path = [name, join(mappingsFolder(), 'triggers', name)].find((one) => existsSync(one));
  if (path === undefined)
    throw new HubError(
      'invalid-arguments',
      `There is no file ${name}, and none of this name in ${join(mappingsFolder(), 'triggers')}.`,
      { retry: 'never' },
    );
  const text = readFileSync(path, 'utf8');
  const templates = readTemplates(join(mappingsFolder(), 'templates'));
  const named = Object.entries(templates).filter(([id]) => text.includes(id));
  return {
    ...{ id: idIn(text) ?? basename(path, '.yaml'), file: relative('.', path), text },
    templates: Object.fromEntries(named),
  };
};

/** Every trigger file of the folder of configuration, by name. */
export const triggerFiles = (): TriggerFile[] =>
  readdirSync(join(mappingsFolder(), 'triggers'))
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => readTriggerFile(join(mappingsFolder(), 'triggers', name)));

/** Whether an argument names a file and not the id of a trigger. */
export const isFile = (argument: string): boolean =>
  /\.(?:yaml|yml|json)$/u.test(argument) || argument.includes('/');

/** Faults of the file are found by the hub, which names their lines. */
const idIn = (text: string): string | undefined => {
  try {
    const { id }: { readonly id?: unknown } = Object(parse(text));
    return typeof id === 'string' && id !== '' ? id : undefined;
  } catch {
    return undefined;
  }
};
