// https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_event_fields_header.htm
// An update carries the fields that changed and no others; name and address come as compound values.
import { createHash } from 'node:crypto';
import type { Fields } from '../../protocol/sandbox.ts';
import type { Field } from '../schema/fields.ts';
import type { Caller, Change } from './change.ts';

interface ChangeEventHeader {
  readonly entityName: string;
  readonly recordIds: readonly string[];
  readonly changeType: 'CREATE' | 'UPDATE' | 'DELETE' | 'UNDELETE';
  readonly changeOrigin: string;
  readonly transactionKey: string;
  readonly sequenceNumber: number;
  /** Epoch milliseconds. */
  readonly commitTimestamp: number;
  readonly commitNumber: number;
  readonly commitUser: string;
  readonly nulledFields: readonly string[];
  readonly diffFields: readonly string[];
  readonly changedFields: readonly string[];
}

/** A change as an event relay puts it on a partner event bus. */
export interface ChangeEvent {
  readonly 'detail-type': string;
  readonly detail: {
    readonly payload: Readonly<Record<string, unknown>> & { readonly ChangeEventHeader: ChangeEventHeader };
    readonly schemaId: string;
    readonly id: string;
  };
}

interface Commit {
  readonly caller: Caller;
  readonly key: string;
  /** Epoch milliseconds. */
  readonly time: number;
}

/** Neither is part of a change event. */
const LEFT_OUT = ['Id', 'IsDeleted', 'SystemModstamp'];

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

const uuid = (text: string): string =>
  hash(text).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/u, '$1-$2-$3-$4-$5');

const reported = (change: Change): readonly Field[] => {
  const fields = change.type.fields.filter(
    ({ name, derive }) => derive === undefined && !LEFT_OUT.includes(name),
  );
  if (change.kind === 'DELETE') return [];
  if (change.kind !== 'UPDATE') return fields.filter(({ name }) => (change.after[name] ?? null) !== null);
  return fields.filter(
    ({ name }) =>
      name === 'LastModifiedDate' || (change.before[name] ?? null) !== (change.after[name] ?? null),
  );
};

/** Where a value stands: `Name.LastName`, `MailingAddress.City`, or the field itself. */
const placeOf = (field: Field): readonly string[] => {
  if (field.compound === undefined) return [field.name];
  const prefix = field.compound.replace(/Address$/u, '');
  return [field.compound, field.compound === 'Name' ? field.name : field.name.slice(prefix.length)];
};

const eventValue = (field: Field, fields: Fields): unknown => {
  const value = fields[field.name] ?? null;
  return field.type === 'datetime' && typeof value === 'string' ? value.replace('+0000', 'Z') : value;
};

const bodyOf = (change: Change, fields: readonly Field[]): Record<string, unknown> => {
  const body: Record<string, unknown> = {};
  for (const field of fields) {
    const [outer = '', inner] = placeOf(field);
    const value = eventValue(field, change.after);
    body[outer] = inner === undefined ? value : { ...(body[outer] ?? {}), [inner]: value };
  }
  return body;
};

interface Draft {
  readonly change: Change;
  readonly ids: string[];
  readonly body: Record<string, unknown>;
  readonly changed: readonly string[];
  readonly nulled: readonly string[];
}

const draftOf = (change: Change): Draft => {
  const fields = reported(change);
  const names = (some: readonly Field[]) =>
    change.kind === 'UPDATE' ? some.map((field) => placeOf(field).join('.')) : [];
  return {
    change,
    ids: [change.id],
    body: bodyOf(change, fields),
    changed: names(fields),
    nulled: names(fields.filter(({ name }) => (change.after[name] ?? null) === null)),
  };
};

/** The same change of several records in one transaction is one event. */
const mergeSame = (drafts: readonly Draft[]): Draft[] => {
  const merged = new Map<string, Draft>();
  for (const draft of drafts) {
    const { kind, type, id } = draft.change;
    const key = kind === 'CREATE' ? id : JSON.stringify([kind, type.name, draft.body]);
    const first = merged.get(key);
    if (first) first.ids.push(id);
    else merged.set(key, draft);
  }
  return [...merged.values()];
};

/** The events of one transaction, in the order of its changes. */
export const changeEvents = (changes: readonly Change[], { caller, key, time }: Commit): ChangeEvent[] =>
  mergeSame(changes.map(draftOf)).map(({ change, ids, body, changed, nulled }, index) => ({
    'detail-type': `${change.type.name.replace(/__c$/u, '__')}ChangeEvent`,
    detail: {
      payload: {
        ...body,
        ChangeEventHeader: {
          entityName: change.type.name,
          recordIds: ids,
          changeType: change.kind,
          changeOrigin: caller.origin,
          transactionKey: uuid(key),
          sequenceNumber: index + 1,
          commitTimestamp: Math.floor(time / 1000) * 1000,
          commitNumber: time * 1000 + index,
          commitUser: caller.user,
          nulledFields: nulled,
          diffFields: [],
          changedFields: changed,
        },
      },
      schemaId: hash(change.type.name).slice(0, 22),
      id: uuid(`${key} ${index}`),
    },
  }));
