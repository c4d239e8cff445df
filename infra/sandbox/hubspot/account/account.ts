import type { DatabaseSync } from 'node:sqlite';
import { Records } from '../../protocol/records.ts';
import type { HeldRecord } from '../../protocol/sandbox.ts';
import { Associations } from './associations.ts';
import type { ObjectType } from './object-types.ts';
import { Properties } from './properties.ts';

/** Values by property; a property without a value is absent. */
export type Values = Readonly<Record<string, string>>;

/** Who changes something, in the words of webhooks and of property histories. */
export interface Source {
  readonly changeSource: 'CRM_UI' | 'INTEGRATION' | 'IMPORT' | 'MERGE_CONTACTS';
  readonly sourceId: string;
}

/** Runs what one request or one person changes: as one transaction, reported when it is done. */
export type Write = <Result>(work: () => Result) => Result;

/** Something that webhooks report. */
export interface Change {
  readonly kind:
    | 'creation'
    | 'propertyChange'
    | 'deletion'
    | 'privacyDeletion'
    | 'merge'
    | 'restore'
    | 'associationChange';
  readonly type: ObjectType;
  readonly objectId: string;
  readonly source: Source;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface Version {
  readonly value: string;
  readonly timestamp: string;
  readonly sourceType: string;
  readonly sourceId: string;
}

// Beyond 32 bits, as the ids of real accounts are.
const FIRST_ID = 171_000_000_001;

/** One HubSpot account: its records, and what it remembers beside them. */
export class Account {
  readonly records: Records;
  /** Archived records, merged ids, second e-mail addresses, the account's own properties, associations. */
  readonly store: Records;
  readonly properties: Properties;
  readonly associations: Associations;
  readonly portalId: number;
  readonly appId = 19_083_857;
  readonly now: () => number;
  /** Whether a merged record has the id of the primary one, as in accounts that take part in HubSpot's beta. */
  readonly keepsPrimaryId: boolean;
  readonly #changes: Change[] = [];
  readonly #histories = new Map<string, Map<string, Version[]>>();

  constructor(db: DatabaseSync, now: () => number, keepsPrimaryId: boolean, portalId: number) {
    this.records = new Records(db, 'hubspot');
    this.store = new Records(db, 'hubspot-account');
    this.properties = new Properties(this.store);
    this.associations = new Associations(this.store);
    this.now = now;
    this.portalId = portalId;
    this.keepsPrimaryId = keepsPrimaryId;
  }

  /** Ids are unique within their type only: the first contact and the first ticket have the same. */
  nextId(type: ObjectType): string {
    const id = Number(this.store.get('counter', type.name)?.fields['next'] ?? FIRST_ID);
    this.store.put('counter', type.name, { next: id + 1 });
    return String(id);
  }

  /** The id that a record has now: merged ids lead to the record that took them up. */
  currentId(type: ObjectType, id: string): string {
    let current = id;
    for (
      let next = this.store.get(`merged:${type.name}`, current);
      next;
      next = this.store.get(`merged:${type.name}`, current)
    )
      current = String(next.fields['into']);
    return current;
  }

  get(type: ObjectType, id: string): HeldRecord | undefined {
    return this.records.get(type.name, this.currentId(type, id));
  }

  archived(type: ObjectType, id: string): HeldRecord | undefined {
    return this.store.get(`archived:${type.name}`, id);
  }

  /** The record with this value of a property whose values are unique; contacts also by a second e-mail address. */
  findUnique(type: ObjectType, property: string, value: string): HeldRecord | undefined {
    const [found] = this.records.findBy(type.name, property, value);
    if (found || type.name !== 'contacts' || property !== 'email') return found;
    const holder = this.store.get('second-email', value.toLowerCase());
    return holder && this.records.get('contacts', String(holder.fields['contact']));
  }

  changed(change: Change): void {
    this.#changes.push(change);
  }

  /** The changes since the last call. */
  takeChanges(): Change[] {
    return this.#changes.splice(0);
  }

  /** Values since this process started, the newest first. */
  history(type: ObjectType, id: string, property: string): readonly Version[] {
    return this.#histories.get(`${type.name}:${id}`)?.get(property) ?? [];
  }

  remember(type: ObjectType, id: string, values: Values, source: Source): void {
    const key = `${type.name}:${id}`;
    const history = this.#histories.get(key) ?? new Map<string, Version[]>();
    const timestamp = new Date(this.now()).toISOString();
    for (const [property, value] of Object.entries(values))
      history.set(property, [
        { value, timestamp, sourceType: source.changeSource, sourceId: source.sourceId },
        ...(history.get(property) ?? []),
      ]);
    this.#histories.set(key, history);
  }

  forget(type: ObjectType, id: string): void {
    this.#histories.delete(`${type.name}:${id}`);
  }

  /** The API: writes of the app whose token is used. */
  integration(): Source {
    return { changeSource: 'INTEGRATION', sourceId: String(this.appId) };
  }
}

/** The properties of a record, all of which are texts here. */
export const valuesOf = (record: HeldRecord): Values =>
  Object.fromEntries(Object.entries(record.fields).map(([name, value]) => [name, String(value)]));
