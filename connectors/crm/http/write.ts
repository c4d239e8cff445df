import type { Call, ChildRecord, CrmRecord, CrmResult, HeldRecord } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { HttpWriting } from '../../../core/crm/mapping/http.ts';
import { HubError } from '../../../core/errors.ts';
import type { Answer } from './answer.ts';
import { chunksOf, find, notMapped, type Target } from './read.ts';
import { deleteById } from './remove.ts';
import { listOf, placeOf } from './templates.ts';

type Kind = 'create' | 'update' | 'upsert';

/** What the functions below share. */
interface Sending {
  readonly target: Target;
  /** Absent for records that have none. */
  readonly keyField?: string;
  readonly call: Call;
}

interface Writing extends Sending {
  readonly keyField: string;
}

/**
 * Writes records: by the hub's key where the CRM can, else those with a known id are updated, the others looked up by key and
 * then updated or created. It never rejects: every record has its result, also where the CRM does not answer.
 */
export const upsert = async (
  target: Target,
  keyField: string,
  records: readonly CrmRecord[],
  call: Call,
): Promise<CrmResult[]> => {
  const writing = { target, keyField, call };
  const { section } = target;
  if (section.upsert !== undefined) return send(writing, 'upsert', section.upsert, records);
  const known = records.filter(({ id }) => id !== undefined);
  const unknown = records.filter(({ id }) => id === undefined);
  const updated = await update(writing, known);
  const written = unknown.length === 0 ? [] : await findThenWrite(writing, unknown);
  return [...updated, ...written];
};

/** Creates records under others, whose ids stand in the field `parent`. As `upsert` it never rejects. */
export const addChildren = async (
  target: Target,
  parent: string,
  records: readonly ChildRecord[],
  call: Call,
): Promise<CrmResult[]> => {
  const { create } = target.section;
  if (create === undefined) throw notMapped(target, 'create');
  const made = records.map(({ key, parent: id, fields }) => ({ key, fields: { ...fields, [parent]: id } }));
  return send({ target, call }, 'create', create, made);
};

/** Without a request for updates a record that is there is left as it is. */
const update = async (writing: Writing, records: readonly CrmRecord[]): Promise<CrmResult[]> => {
  const request = writing.target.section.update;
  return request === undefined
    ? records.map(({ key, id = '' }) => ({ key, id }))
    : send(writing, 'update', request, records);
};

const findThenWrite = async (writing: Writing, records: readonly CrmRecord[]): Promise<CrmResult[]> => {
  const { create, unique } = writing.target.section;
  const found = await findByKey(writing, records);
  if (!(found instanceof Map)) return found;
  const present = records.filter(({ key }) => found.has(key));
  const absent = records.filter(({ key }) => !found.has(key));
  const updated = await update(
    writing,
    present.map((record) => ({ ...record, id: found.get(record.key) ?? '' })),
  );
  if (create === undefined || absent.length === 0) return updated;
  const created = await send(writing, 'create', create, absent);
  const results = unique ? await afterRace(writing, absent, created) : await withoutSecond(writing, created);
  return [...updated, ...results];
};

/** Another worker may have created the record since it was looked for: then it is updated. */
const afterRace = async (
  writing: Writing,
  records: readonly CrmRecord[],
  created: readonly CrmResult[],
): Promise<CrmResult[]> => {
  const refused = new Map(
    created.flatMap((one) =>
      'fault' in one && (one.fault.why === 'taken' || one.fault.why === 'raced')
        ? [[one.key, one] as const]
        : [],
    ),
  );
  if (refused.size === 0) return [...created];
  const found = await findByKey(
    writing,
    records.filter(({ key }) => refused.has(key)),
  );
  if (!(found instanceof Map)) return [...created.filter(({ key }) => !refused.has(key)), ...found];
  const updated = await update(
    writing,
    records.flatMap((record) => {
      const id = found.get(record.key);
      return id === undefined ? [] : [{ ...record, id }];
    }),
  );
  return [...created.filter(({ key }) => !found.has(key)), ...updated];
};

/**
 * The CRM accepts two records with one key, so two workers may have created the same. Each looks again after its own creation
 * was stored: whichever comes second sees both, and all of them keep the same one.
 */
const withoutSecond = async (writing: Writing, created: readonly CrmResult[]): Promise<CrmResult[]> => {
  const made = created.filter((one) => !('fault' in one));
  if (made.length === 0) return [...created];
  const found = await findByKey(writing, made);
  if (!(found instanceof Map)) return [...created.filter((one) => 'fault' in one), ...found];
  return created.map((one) => ('fault' in one ? one : { ...one, id: found.get(one.key) ?? one.id }));
};

/**
 * The CRM's ids of records by the hub's keys, or the results where it could not be asked. Of several with one key, where the
 * CRM does not prevent them, the first is kept and the others are deleted.
 */
const findByKey = async (
  { target, keyField, call }: Writing,
  records: readonly { readonly key: string }[],
): Promise<Map<string, string> | CrmResult[]> => {
  try {
    const keys = records.map(({ key }) => key);
    const found = await find(target, { field: keyField }, keys, [], call);
    const ids = new Map<string, string>();
    for (const [key, held] of found) {
      const [first, ...others] = held.toSorted(inOrder);
      if (first === undefined) continue;
      ids.set(key, first.id);
      if (!target.section.unique) for (const { id } of others) await deleteById(target, id, call);
    }
    return ids;
  } catch (error) {
    const fault = asFault(error);
    return records.map(({ key }) => ({ key, fault }));
  }
};

/** By number where ids are numbers: all workers must choose the same record. */
const inOrder = (one: HeldRecord, other: HeldRecord): number => {
  const [left, right] = [one, other].map(({ id }) => (/^\d+$/u.test(id) ? id.padStart(20, '0') : id));
  return (left ?? '') < (right ?? '') ? -1 : 1;
};

/**
 * Sends records in the batches of a request. A fault of the object or of the connection ends it: the records that were not
 * sent have the same fault.
 */
const send = async (
  writing: Sending,
  kind: Kind,
  request: HttpWriting,
  records: readonly CrmRecord[],
): Promise<CrmResult[]> => {
  const results: CrmResult[] = [];
  let stop: CrmFault | undefined;
  for (const some of chunksOf(records, request.batch)) {
    const written =
      stop === undefined ? await sendBatch(writing, kind, request, some) : refusedAll(some, stop);
    results.push(...written);
    stop ??= written.flatMap((one) => ('fault' in one && endsAll(one.fault) ? [one.fault] : []))[0];
  }
  return results;
};

const endsAll = ({ scope, code }: CrmFault): boolean => scope !== 'record' || code === 'crm-pause';

const refusedAll = (records: readonly CrmRecord[], fault: CrmFault): CrmResult[] =>
  records.map(({ key }) => ({ key, fault }));

/** A batch that is refused as a whole is halved until the record at fault is alone. */
const sendBatch = async (
  writing: Sending,
  kind: Kind,
  request: HttpWriting,
  records: readonly CrmRecord[],
): Promise<CrmResult[]> => {
  const { target, keyField, call } = writing;
  const { api, object } = target;
  const sent = records.map((one) => variablesOf(one, keyField));
  const about = { object, isOfRecord: records.every(({ id }) => id !== undefined) };
  const variables = { record: sent[0], records: sent, object, keyField };
  try {
    const answer = await api.ask({ request, variables, about, isCreation: kind === 'create' }, call);
    return resultsOf(target, request, records, answer);
  } catch (error) {
    const fault = asFault(error);
    if (fault.scope !== 'record' || fault.code === 'crm-pause' || records.length === 1)
      return refusedAll(records, fault);
    const part = Math.ceil(records.length / 2);
    const first = await sendBatch(writing, kind, request, records.slice(0, part));
    const stop = first.flatMap((one) => ('fault' in one && endsAll(one.fault) ? [one.fault] : []))[0];
    const rest = records.slice(part);
    return [
      ...first,
      ...(stop === undefined ? await sendBatch(writing, kind, request, rest) : refusedAll(rest, stop)),
    ];
  }
};

/** A record as templates see it. `values`: what is to be stored, with the hub's key in its field. */
const variablesOf = ({ key, id, fields, links = {} }: CrmRecord, keyField: string | undefined): object => ({
  ...{ key, fields, links, values: { ...fields, ...(keyField !== undefined && { [keyField]: key }) } },
  ...(id !== undefined && { id }),
});

const resultsOf = (
  { api, object }: Target,
  request: HttpWriting,
  records: readonly CrmRecord[],
  answer: Answer,
): CrmResult[] => {
  const { rows, id: place } = request;
  const idAt = (from: Answer, position: number): unknown =>
    place === undefined
      ? undefined
      : rows === undefined
        ? listOf(placeOf(place, { ...from }))[position]
        : placeOf(place, { ...from });
  const ofRow = rows === undefined ? undefined : listOf(placeOf(rows, { ...answer }));
  return records.map((record, position): CrmResult => {
    const { key } = record;
    if (ofRow !== undefined && position >= ofRow.length) return { key, fault: withoutRow(api.title, object) };
    const own = ofRow === undefined ? answer : { ...answer, row: ofRow[position] };
    const fault =
      ofRow === undefined
        ? undefined
        : api.judge(own, { object, isOfRecord: record.id !== undefined }, request.success);
    if (fault !== undefined) return { key, fault };
    const id = idAt(own, position);
    if (typeof id === 'string' || typeof id === 'number') return { key, id: String(id) };
    return record.id !== undefined || place === undefined
      ? { key, id: record.id ?? key }
      : { key, fault: withoutRow(api.title, object) };
  });
};

const withoutRow = (title: string, object: string): CrmFault =>
  new CrmFault(
    'http-down',
    `The answer of ${title} does not say what became of a record of ${object}. It is looked up and written again. If it lasts, correct \`id\` or \`rows\` in the mapping.`,
    { scope: 'record', why: 'raced', object },
  );

/** A pause of the hub's own budget concerns the records that are left: they are sent when calls are free again. */
const asFault = (error: unknown): CrmFault => {
  if (error instanceof CrmFault) return error;
  if (!(error instanceof HubError) || typeof error.retry !== 'object') throw error;
  return new CrmFault(error.code, error.message, {
    ...{ scope: 'record', why: 'throttled', afterSeconds: error.retry.afterSeconds, cause: error },
  });
};
