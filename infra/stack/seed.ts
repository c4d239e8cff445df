import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { providerIds } from '../../connectors/registry.ts';
import { senderChannels, senderIds } from '../../connectors/senders/index.ts';
import { lineFinder, parseConfigFile } from '../../core/config/config-file.ts';
import { HubConfig, hubConfigFor } from '../../core/config/hub-config.ts';
import { CrmMapping } from '../../core/crm/mapping/mapping.ts';
import { HubError } from '../../core/errors.ts';
import { identityConfigFor } from '../../core/identity/identity-config.ts';
import { templateFaults } from '../../core/triggers/message/faults.ts';
import { layoutFiles, usedLayouts } from '../../core/triggers/message/layout.ts';
import { namedLayouts } from '../../core/triggers/message/source.ts';
import { publishFaults, templatesOf } from '../../core/triggers/publishing/publishable.ts';
import { Trigger } from '../../core/triggers/trigger.ts';
import { root } from './bundle.ts';

/** The validated files of `mappings/` as plain data, with which a deploy seeds the running configuration. */
export interface Seed {
  readonly hub: unknown;
  readonly identity: unknown;
  readonly crm: Readonly<Record<string, unknown>>;
  readonly triggers: readonly unknown[];
  /** Template id → file name → content. */
  readonly templates: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The folder of the hub's configuration: `HUB_MAPPINGS`, else `mappings/` of this repository. */
export const mappingsFolder = (): string => resolve(root, process.env['HUB_MAPPINGS'] ?? 'mappings');

/** A file of a folder of configuration as messages name it: `mappings/hub.yaml`, or its whole path where it is not the repository's. */
export const configFileName = (path: string, folder = mappingsFolder()): string =>
  folder === join(root, 'mappings') ? `mappings/${path}` : join(folder, path);

/** A CRM is a folder of `connectors/crm`; those of `http` have the names that hub.yaml gives them. */
const crmIds = readdirSync(join(root, 'connectors', 'crm'))
  .filter((id) => id !== 'http')
  .sort();

/** Reads the configuration. Throws `HubError` `invalid-configuration` with file, line, key and the expected value. */
export const readSeed = (folder = mappingsFolder()): Seed => {
  const read = (path: string, schema: Parameters<typeof parseConfigFile>[2]): unknown => {
    const text = readText(folder, path);
    parseConfigFile(configFileName(path, folder), text, schema);
    return parse(text) ?? {};
  };
  const yamlIn = (path: string): string[] =>
    namesIn(join(folder, path))
      .filter((name) => name.endsWith('.yaml'))
      .sort();
  const hub = read(
    'hub.yaml',
    hubConfigFor({ channels: providerIds, crms: crmIds, senders: senderIds, senderChannels }),
  );
  const crm = Object.fromEntries(
    yamlIn('crm').map((name) => [basename(name, '.yaml'), read(`crm/${name}`, CrmMapping)]),
  );
  expectHttpSections(HubConfig.parse(hub).crms, crm, folder);
  const templates = validTemplates(readTemplates(join(folder, 'templates')));
  const triggers = yamlIn('triggers').map((name) => {
    const definition = read(`triggers/${name}`, Trigger);
    expectPublishable(
      configFileName(`triggers/${name}`, folder),
      readText(folder, `triggers/${name}`),
      templates,
      HubConfig.parse(hub),
    );
    return definition;
  });
  return {
    ...{ hub, crm },
    identity: read('identity.yaml', identityConfigFor(providerIds)),
    ...{ triggers, templates },
  };
};

/** Throws `HubError` `invalid-configuration` where there is no such file. */
const readText = (folder: string, path: string): string => {
  try {
    return readFileSync(join(folder, path), 'utf8');
  } catch (error) {
    throw missing(join(folder, path), error);
  }
};

/** Throws `HubError` `invalid-configuration` where there is no such folder. What a file system keeps for itself is not ours. */
const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith('.'));
  } catch (error) {
    throw missing(folder, error);
  }
};

const missing = (path: string, cause: unknown): HubError =>
  new HubError(
    'invalid-configuration',
    `${path} cannot be read. A folder of configuration (HUB_MAPPINGS) has hub.yaml, identity.yaml and the folders crm, triggers and templates; copy what is missing from mappings/.`,
    { retry: 'never', cause },
  );

/** Publishing would refuse it after the deployment has begun. */
const expectPublishable = (
  file: string,
  text: string,
  templates: Seed['templates'],
  hub: HubConfig,
): void => {
  const trigger = Trigger.parse(parse(text));
  const faults = publishFaults(trigger, templates, hub);
  const unusable =
    trigger.each === undefined
      ? []
      : templatesOf(trigger).flatMap((id) => templateFaults(id, templates[id] ?? {}, false));
  if (unusable.length > 0)
    throw new HubError('invalid-configuration', unusable.join('\n'), { retry: 'never' });
  if (faults.length === 0) return;
  const line = lineFinder(text);
  const lines = faults.map(({ path, message }) => `${file}:${line(path)}: ${path.join('.')}: ${message}`);
  throw new HubError('invalid-configuration', lines.join('\n'), { retry: 'never' });
};

/** A CRM with `connector: http` is spoken to by its mapping alone. */
const expectHttpSections = (crms: HubConfig['crms'], mappings: Seed['crm'], folder: string): void => {
  for (const [crm, { connector }] of Object.entries(crms))
    if (connector === 'http' && CrmMapping.safeParse(mappings[crm]).data?.http === undefined)
      throw new HubError(
        'invalid-configuration',
        `${configFileName('hub.yaml', folder)}: crms.${crm} has \`connector: http\`, so ${configFileName(`crm/${crm}.yaml`, folder)} must have a section http (docs/crm/http-crm.md).`,
        { retry: 'never' },
      );
};

const validTemplates = (templates: Seed['templates']): Seed['templates'] => {
  // A fault of a layout is one of every template that stands in it.
  const faults = new Set(Object.entries(templates).flatMap(([id, files]) => templateFaults(id, files)));
  if (faults.size > 0)
    throw new HubError('invalid-configuration', [...faults].join('\n'), { retry: 'never' });
  return templates;
};

const LAYOUTS = 'layouts';

/** Template id → file name → content, each with the layouts that it uses; not validated. */
export const readTemplates = (folder: string): Seed['templates'] => {
  const ids = namesIn(folder);
  const layouts = ids.includes(LAYOUTS) ? layoutFiles(filesIn(join(folder, LAYOUTS))) : {};
  return Object.fromEntries(
    ids
      .filter((id) => id !== LAYOUTS)
      .map((id) => {
        const files = filesIn(join(folder, id));
        return [id, { ...files, ...usedLayouts(layouts, namedLayouts(files)) }];
      }),
  );
};

const filesIn = (folder: string): Record<string, string> =>
  Object.fromEntries(namesIn(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
