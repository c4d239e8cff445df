import * as z from 'zod';
import { faultLine, type LocatedFault } from '../../../../core/config/config-file.ts';
import type { HubConfig } from '../../../../core/config/hub-config.ts';
import { differences } from '../../../../core/triggers/publishing/difference.ts';
import {
  PATTERN_LIMIT,
  patternLength,
  publishWarnings,
  readTriggerFile,
} from '../../../../core/triggers/publishing/publishable.ts';
import { GivenTrigger } from '../../../../core/triggers/template-files.ts';
import {
  type Author,
  dropDraft,
  type PublishPorts,
  pause,
  publish,
  publishSeed,
  resume,
  saveDraft,
  unpublish,
} from '../../../aws/triggers/publish.ts';
import { roomOf, rulesOf } from '../../../aws/triggers/trigger-rules.ts';
import { problem } from '../../../middleware/http.ts';
import {
  type Answer,
  json,
  jsonBody,
  pathParameter,
  type Route,
  type Routes,
  withBody,
  withQuery,
} from '../route.ts';

export interface TriggerPorts {
  readonly publishing: PublishPorts;
  readonly hub: () => Promise<HubConfig>;
  /** How many notifications of a trigger wait for the end of a wait or a deferral. */
  readonly waiting: (trigger: string) => Promise<number>;
}

const By = z.string().min(1).max(100).default('api');

const Publication = GivenTrigger.extend({
  by: By,
  note: z.string().max(500).optional(),
  /** `draft` stores without publishing. `apply` publishes as a deploy does: not over what was edited elsewhere. */
  as: z.enum(['edit', 'draft', 'apply']).default('edit'),
  /** With `apply`: replaces what was edited elsewhere. */
  overwrite: z.boolean().default(false),
});

const Act = z.strictObject({ by: By, note: z.string().max(500).optional() });
const RollBack = Act.extend({
  /** Default: the version before the published one. */
  version: z.int().positive().optional(),
});

/** Triggers: list, show, check, publish, pause, resume, versions and a way back. */
export const triggerRoutes: Routes<TriggerPorts> = {
  'GET /triggers': async (_event, ports) => {
    const { triggers } = ports.publishing;
    const ids = new Set([...(await triggers.ids()), ...(await publishedIds(ports))]);
    const items = await Promise.all([...ids].sort().map((id) => stateOf(id, ports)));
    return json(200, { items });
  },
  'GET /triggers/{id}': withQuery(
    z.strictObject({ version: z.coerce.number().int().positive().optional() }),
    async ({ version }, event, ports) => {
      const id = pathParameter(event, 'id');
      const { triggers } = ports.publishing;
      const state = await stateOf(id, ports);
      const shown = version ?? state.version;
      const stored = shown === undefined ? undefined : await triggers.stored(id, shown);
      const draft = version === undefined ? await triggers.draft(id) : undefined;
      if (stored === undefined && draft === undefined) return unknownTrigger(id, version);
      const { by, at, note, ...written } = stored ?? {};
      return json(200, { ...state, ...written, ...(draft && { draft }) });
    },
  ),
  /** Every version with who published it, when and why, newest first. */
  'GET /triggers/{id}/versions': async (event, ports) => {
    const id = pathParameter(event, 'id');
    const [versions, current] = await Promise.all([
      ports.publishing.triggers.history(id),
      ports.publishing.triggers.current(id),
    ]);
    if (versions.length === 0) return unknownTrigger(id);
    const items = versions.map(({ definition, templates, ...version }, position) => ({
      ...version,
      published: version.version === current?.version,
      changed: differences(versions[position - 1], { definition, templates }).map(({ key }) => key),
    }));
    return json(200, { items: items.reverse() });
  },
  /** Everything that publishing checks, the limits of the bus, and what differs from what is published. Changes nothing. */
  'POST /triggers/check': withBody('invalid-trigger', GivenTrigger, async (given, _event, ports) => {
    const read = await readGiven(given, ports);
    if ('faults' in read) return json(200, { faults: read.faults });
    const { trigger } = read;
    const current = await ports.publishing.triggers.current(trigger.id);
    const published = current && (await ports.publishing.triggers.stored(trigger.id, current.version));
    return json(200, {
      ...{ id: trigger.id, faults: [], warnings: publishWarnings(trigger, given.templates) },
      limits: {
        ...(await roomOf(ports.publishing)),
        pattern: { characters: patternLength(trigger), most: PATTERN_LIMIT },
      },
      ...(current && { publishedVersion: current.version }),
      differences: differences(published, { ...read, templates: given.templates }),
    });
  }),
  'PUT /triggers/{id}': withBody('invalid-trigger', Publication, async (given, event, ports) => {
    const id = pathParameter(event, 'id');
    const read = await readGiven(given, ports);
    if ('faults' in read) return invalid(read.faults);
    if (read.trigger.id !== id)
      return problem(
        400,
        'invalid-trigger',
        `The trigger in the body has the id ${read.trigger.id}, not ${id}.`,
      );
    return publishGiven(id, { ...given, definition: read.definition }, ports);
  }),
  /** Publishes the draft. */
  'POST /triggers/{id}/publish': acting(Act, async (id, author, ports) => {
    const draft = await ports.publishing.triggers.draft(id);
    if (draft === undefined)
      return problem(404, 'unknown-trigger', `There is no draft of the trigger ${id}.`);
    const { definition, templates } = draft;
    const given = { file: id, text: JSON.stringify(definition, null, 2), templates };
    const read = await readGiven(given, ports);
    if ('faults' in read) return invalid(read.faults);
    await publish(ports.publishing, definition, templates, { note: draft.note, ...author });
    await dropDraft(ports.publishing, id);
    return json(200, await stateOf(id, ports));
  }),
  'POST /triggers/{id}/pause': acting(Act, async (id, { by }, ports) => {
    await pause(ports.publishing, id, by);
    return json(200, await stateOf(id, ports));
  }),
  'POST /triggers/{id}/resume': acting(Act, async (id, _author, ports) => {
    await resume(ports.publishing, id);
    return json(200, await stateOf(id, ports));
  }),
  /** Removes its rule from the bus. The versions stay stored, because decisions name them. */
  'DELETE /triggers/{id}': withQuery(z.strictObject({ by: By }), async ({ by }, event, ports) => {
    const id = pathParameter(event, 'id');
    await unpublish(ports.publishing, id, by);
    return json(200, await stateOf(id, ports));
  }),
  /** Publishes an earlier version again, as a new one. */
  'POST /triggers/{id}/roll-back': acting(RollBack, async (id, { version, ...author }, ports) => {
    const { triggers } = ports.publishing;
    const current = await triggers.current(id);
    const versions = await triggers.history(id);
    const wanted = version ?? versions.findLast((one) => one.version < (current?.version ?? 0))?.version;
    const restored = versions.find((one) => one.version === wanted);
    if (restored === undefined) return unknownTrigger(id, wanted);
    await publish(ports.publishing, restored.definition, restored.templates, {
      ...{ ...author, restores: restored.version },
    });
    return json(200, await stateOf(id, ports));
  }),
};

/** A route that does something with the trigger of the path; the body is optional. */
function acting<Input extends Author>(
  schema: z.ZodType<Input>,
  act: (id: string, input: Input, ports: TriggerPorts) => Promise<Answer>,
): Route<TriggerPorts> {
  return async (event, ports) => {
    const input = schema.safeParse(event.body === undefined || event.body === '' ? {} : jsonBody(event));
    if (!input.success) return problem(400, 'invalid-trigger', z.prettifyError(input.error));
    return act(pathParameter(event, 'id'), input.data, ports);
  };
}

const publishGiven = async (
  id: string,
  given: z.output<typeof Publication> & { readonly definition: unknown },
  ports: TriggerPorts,
): Promise<Answer> => {
  const { publishing } = ports;
  const { definition, templates, by, note } = given;
  const author: Author = { by, note };
  if (given.as === 'draft') {
    await saveDraft(publishing, id, { definition, templates }, author);
    return json(200, await stateOf(id, ports));
  }
  if (given.as === 'apply') {
    const options = { author, overwrite: given.overwrite };
    if (!(await publishSeed(publishing, definition, templates, options))) return edited(id, ports);
    return json(200, await stateOf(id, ports));
  }
  await publish(publishing, definition, templates, author);
  await dropDraft(publishing, id);
  return json(200, await stateOf(id, ports));
};

const edited = async (id: string, ports: TriggerPorts): Promise<Answer> => {
  const { version, by = 'somebody', at } = await stateOf(id, ports);
  return problem(
    409,
    'edited-trigger',
    `The trigger ${id} was edited elsewhere since its file was last published: version ${version} by ${by}${at === undefined ? '' : ` at ${at}`}. Take the edit over into the file, or publish the file over it with --overwrite.`,
  );
};

/** Why a trigger could not be published; undefined where it could. */
export const triggerRefusal = async (
  given: GivenTrigger,
  { hub, templateFaults }: Pick<TriggerPorts, 'hub'> & Pick<PublishPorts, 'templateFaults'>,
): Promise<Answer | undefined> => {
  const read = readTriggerFile(given, await hub(), templateFaults);
  return 'faults' in read ? invalid(read.faults) : undefined;
};

const readGiven = async (
  given: GivenTrigger,
  { hub, publishing }: Pick<TriggerPorts, 'hub' | 'publishing'>,
): Promise<ReturnType<typeof readTriggerFile>> =>
  readTriggerFile(given, await hub(), publishing.templateFaults);

/** 400, with a line for each fault in `detail`, and each with its place in `faults`. */
const invalid = (faults: readonly LocatedFault[]): Answer => ({
  ...problem(400, 'invalid-trigger', faults.map(faultLine).join('\n')),
  body: JSON.stringify({
    ...{ status: 400, code: 'invalid-trigger', detail: faults.map(faultLine).join('\n'), faults },
  }),
});

const unknownTrigger = (id: string, version?: number): Answer =>
  problem(
    404,
    'unknown-trigger',
    version === undefined
      ? `There is no trigger ${id}. \`hub trigger list\` shows all.`
      : `There is no version ${version} of the trigger ${id}. \`hub trigger history ${id}\` shows all.`,
  );

/** Triggers that have a rule: also those that an earlier release has published. */
const publishedIds = async ({ publishing }: TriggerPorts): Promise<string[]> =>
  (await rulesOf(publishing)).flatMap(({ name }) => /^trigger-(.+)-v\d+$/u.exec(name)?.[1] ?? []);

interface TriggerState {
  readonly id: string;
  readonly name?: string;
  readonly category?: string;
  /** `draft`: it was never published. */
  readonly state: 'draft' | 'published' | 'paused';
  readonly version?: number;
  readonly by?: string | undefined;
  readonly at?: string | undefined;
  readonly waiting: number;
}

const stateOf = async (id: string, { publishing, waiting }: TriggerPorts): Promise<TriggerState & object> => {
  const { triggers } = publishing;
  const [current, draft] = await Promise.all([triggers.current(id), triggers.draft(id)]);
  const stored = current && (await triggers.stored(id, current.version));
  const { name, category } = Shown.safeParse((stored ?? draft)?.definition).data ?? {};
  return {
    id,
    ...(name !== undefined && { name }),
    ...(category !== undefined && { category }),
    state: current === undefined ? 'draft' : current.paused ? 'paused' : 'published',
    ...(current && { version: current.version }),
    ...(stored && { by: stored.by, at: stored.at, note: stored.note }),
    ...(current?.paused === true && { pausedAt: current.pausedAt, pausedBy: current.pausedBy }),
    ...(current && { editedSinceDeploy: current.seeded !== current.digest }),
    ...(draft && { draft: { by: draft.by, at: draft.at, note: draft.note } }),
    waiting: current === undefined ? 0 : await waiting(id),
  };
};

const Shown = z.looseObject({ name: z.string().optional(), category: z.string().optional() });
