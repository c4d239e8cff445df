import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import * as z from 'zod';
import { VirtualClock } from '../../core/clock.ts';
import { parseConfigFile } from '../../core/config/config-file.ts';
import { HubConfig } from '../../core/config/hub-config.ts';
import { CrmMapping } from '../../core/crm/mapping/mapping.ts';
import { IdentityConfig } from '../../core/identity/identity-config.ts';
import { Channel } from '../../core/interaction/interaction.ts';
import type { Notification } from '../../core/triggers/notification.ts';
import { templatesOf } from '../../core/triggers/publishing/publishable.ts';
import type { TemplateFiles } from '../../core/triggers/template-files.ts';
import { Trigger } from '../../core/triggers/trigger.ts';
import { table } from '../../functions/aws/clients/dynamo.ts';
import { type PublishPorts, publish } from '../../functions/aws/triggers/publish.ts';
import { configKey } from '../../functions/contracts/keys.ts';
import { type Assembly, assemblyWith, syncedBy } from '../stack/assembly.ts';
import { mappingsFolder, readTemplates } from '../stack/seed.ts';
import { senderDomains } from '../stack/sender-domains.ts';
import { bringReport, seedCrms } from './crm/work.ts';
import {
  type InProcessHub,
  type InProcessHubOptions,
  openInProcessHub,
  publishPortsOf,
} from './hub/in-process-hub.ts';
import { openSandboxes, type Sandboxes } from './hub/sandboxes.ts';
import type { PlannedLooks } from './looks.ts';
import { listedTriggers, type Scenario, triggerFile } from './schema.ts';

/** When a scenario starts that names no time. */
const DEFAULT_START = '2026-01-01T00:00:00.000Z';

/** A slow CRM takes real time, unlike everything else in a scenario. */
const SLOWNESS_MS = 50;

/** The options of the hub of a scenario. */
export interface ScenarioOptions
  extends Omit<InProcessHubOptions, 'clock' | 'runCustomResources' | 'senders'> {
  /** Called with the sandbox CRMs before the first step, to switch on faults. */
  readonly crms?: (crms: Sandboxes, clock: VirtualClock) => void;
}

/** A hub with the configuration of a scenario. Its clock starts shortly before the first step. */
export interface ScenarioHub extends InProcessHub {
  readonly crms: Sandboxes;
  readonly identity: IdentityConfig;
  readonly publishPorts: PublishPorts;
  readonly triggerDefinitions: ReadonlyMap<string, unknown>;
  readonly templates: Readonly<Record<string, TemplateFiles>>;
  /** The keys of hub.yaml. */
  readonly hubConfig: unknown;
  readonly looks: PlannedLooks;
  /** Notifications that were decided before their customers were erased, by the keys of their rows. */
  readonly earlierNotifications: Map<string, Notification>;
}

/** Opens the hub of a scenario with its sandbox CRMs, stores its configuration and publishes its triggers. */
export const openScenarioHub = async (
  scenario: Scenario,
  folder: string,
  { crms: prepareCrms, ...options }: ScenarioOptions,
): Promise<ScenarioHub> => {
  const first = Date.parse(scenario.steps.find(({ at }) => at !== undefined)?.at ?? DEFAULT_START);
  // A minute for each starting customer, and one in which the last of them is listed, before the first step.
  // A CRM that is asked at regular times is asked only when somebody has worked in it: see `crm/work.ts`.
  const clock = new VirtualClock(first - (scenario.customers.length + 2) * 60_000, { runsRecurring: false });
  const seed = seedHub(scenario);
  const { crms: switches } = HubConfig.parse(seed);
  const isSwitched = Object.hasOwn(scenario.hub, 'crms');
  const deployed = isSwitched ? await deployedWith(switches, options.assembly) : options.assembly;
  const holder: { hub?: InProcessHub } = {};
  const crms = await openSandboxes(new DatabaseSync(options.file ?? ':memory:'), {
    now: () => clock.now(),
    slowness: SLOWNESS_MS,
    servicenow: Object.hasOwn(switches, 'servicenow'),
    report: (report) => {
      // A CRM that is switched off has no webhook of this hub.
      if (holder.hub && Object.hasOwn(switches, report.crm)) bringReport(holder.hub, report);
    },
  });
  seedCrms(crms, scenario.crm);
  prepareCrms?.(crms, clock);
  const { triggerDefinitions, templates } = readTriggers(scenario, folder);
  let sent = 0;
  const hub = await openInProcessHub({
    ...{ mailQuota: { day: 1_000_000, second: 10_000 }, smsPartsPerSecond: 10_000 },
    verified: senderDomains(HubConfig.parse(seedHub(scenario)), templates),
    ...options,
    ...{ assembly: deployed, clock },
    // The configuration of the scenario replaces the seed of the stack.
    runCustomResources: false,
    // Accepts the notifications of channels for which the hub has no sender.
    senders: {
      scenario: { id: 'scenario', provider: 'scenario', send: async () => `scenario-${sent++}` },
    },
  });
  holder.hub = hub;
  const rows = table(hub.runtime);
  const storeConfiguration = (name: string, body: unknown): Promise<boolean> =>
    rows.put({ ...configKey(name), body });
  await storeConfiguration('hub', seed);
  const identity = seedIdentity(scenario);
  await storeConfiguration('identity', identity);
  for (const crm of crms.names.filter((one) => Object.hasOwn(switches, one)))
    await storeConfiguration(`crm/${crm}`, seedMapping(crm, scenario));
  await crms.connect(hub.runtime, hub.name);
  const publishPorts = publishPortsOf(hub);
  for (const definition of triggerDefinitions.values()) await publish(publishPorts, definition, templates);
  return {
    ...hub,
    ...{ crms, publishPorts, triggerDefinitions, templates },
    identity: IdentityConfig.parse(identity),
    hubConfig: seed,
    looks: { each: [], zones: [], planned: new Set() },
    earlierNotifications: new Map(),
  };
};

/** The template whose CRMs are those of the scenario, so that none that is switched off has a function. */
const deployedWith = (crms: HubConfig['crms'], deployed: Assembly): Promise<Assembly> | Assembly =>
  isDeepStrictEqual(syncedBy(deployed), Object.keys(crms).sort()) ? deployed : assemblyWith(crms);

const Shipped = z.looseObject({ contact: z.looseObject({ fields: z.looseObject({}) }) });

const seedMapping = (crm: string, { mappings }: Scenario): unknown => {
  const shipped = Shipped.parse(parse(readFileSync(join(mappingsFolder(), 'crm', `${crm}.yaml`), 'utf8')));
  const { contact: { fields, ...contact } = {}, ...others } = mappings[crm] ?? {};
  const merged = {
    ...{ ...shipped, ...others },
    contact: {
      ...{ ...shipped.contact, ...contact },
      fields: { ...shipped.contact.fields, ...z.looseObject({}).optional().parse(fields) },
    },
  };
  CrmMapping.parse(merged);
  return merged;
};

/** The times of a story depend on its rules, and not on how much an account may send. */
const RATE = '9999 per 1s';

const seedHub = ({ hub }: Scenario): unknown => {
  const merged = {
    ...hub,
    senders: {
      ...Object.fromEntries(Channel.options.map((channel) => [channel, 'scenario'])),
      email: 'ses',
      sms: { use: 'aws-sms', rate: RATE },
    },
  };
  return merged;
};

const seedIdentity = ({ identity }: Scenario): unknown => {
  const shipped = z
    .record(z.string(), z.unknown())
    .parse(parse(readFileSync(join(mappingsFolder(), 'identity.yaml'), 'utf8')));
  const merged = { ...shipped, ...identity };
  IdentityConfig.parse(merged);
  return merged;
};

const stub: TemplateFiles = {
  'email.liquid': '---\nsubject: Stub\n---\nStub',
  'sms.liquid': 'Stub',
  'push.liquid': '---\ntitle: Stub\n---\nStub',
};

/** The scenario's own triggers, or those of `mappings/`; a template that does not exist is a stub. */
const readTriggers = (
  scenario: Scenario,
  folder: string,
): Pick<ScenarioHub, 'triggerDefinitions' | 'templates'> => {
  const definitions = new Map<string, unknown>();
  for (const one of listedTriggers(scenario)) {
    const file = typeof one === 'string' ? (triggerFile(folder, one) ?? one) : undefined;
    const trigger =
      file === undefined ? Trigger.parse(one) : parseConfigFile(file, readFileSync(file, 'utf8'), Trigger);
    definitions.set(trigger.id, file === undefined ? one : parse(readFileSync(file, 'utf8')));
  }
  const found = readTemplates(join(mappingsFolder(), 'templates'));
  const named = [...definitions.values()].flatMap((definition) => templatesOf(Trigger.parse(definition)));
  return {
    triggerDefinitions: definitions,
    templates: Object.fromEntries(named.map((id) => [id, found[id] ?? stub])),
  };
};
