import type { DatabaseSync } from 'node:sqlite';
import { Records } from '../../protocol/records.ts';
import { idOf } from '../data/ids.ts';
import type { Field, ObjectType } from './fields.ts';
import { CustomField, CustomObject, customField, customObject } from './metadata.ts';
import { personFields } from './person-fields.ts';
import { standardObjects } from './standard.ts';

/** What the user cannot see: a whole object, or one field of it. */
export interface Hidden {
  readonly object?: string;
  readonly field?: string;
}

export interface ChildRelationship {
  readonly object: ObjectType;
  readonly field: Field;
}

/** Fields of `Activity` appear on both. */
const ACTIVITY = ['Task', 'Event'];

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** The objects and fields of one org: the standard ones, and what its administrator has added, which is kept in the database. */
export class Schema {
  readonly #types = new Map<string, ObjectType>();
  readonly #fields = new WeakMap<ObjectType, ReadonlyMap<string, Field>>();
  readonly #metadata: Records;
  #hidden: readonly Hidden[] = [];

  constructor(db: DatabaseSync) {
    for (const type of standardObjects) this.#put(type);
    this.#metadata = new Records(db, 'salesforce-metadata');
    for (const { fields } of this.#metadata.list('CustomObject'))
      this.#applyObject(CustomObject.parse(fields));
    for (const { fields } of this.#metadata.list('CustomField')) this.#applyField(CustomField.parse(fields));
  }

  /** What is hidden from now on, whatever was before. */
  hide(hidden: readonly Hidden[]): void {
    this.#hidden = hidden;
  }

  objects(): ObjectType[] {
    return [...this.#types.values()].flatMap(({ name }) => this.object(name) ?? []);
  }

  object(name: string): ObjectType | undefined {
    const type = this.#types.get(name.toLowerCase());
    if (type === undefined || this.#hidden.length === 0) return type;
    const hidden = this.#hidden.filter(({ object }) => object === undefined || same(object, name));
    if (hidden.some(({ object, field }) => object !== undefined && field === undefined)) return undefined;
    return {
      ...type,
      fields: type.fields.filter(
        (member) => !hidden.some(({ field }) => field !== undefined && same(field, member.name)),
      ),
    };
  }

  field(type: ObjectType, name: string): Field | undefined {
    const fields =
      this.#fields.get(type) ?? new Map(type.fields.map((field) => [field.name.toLowerCase(), field]));
    this.#fields.set(type, fields);
    return fields.get(name.toLowerCase());
  }

  /** The object whose records have ids like this one. */
  objectOfId(id: string): ObjectType | undefined {
    return this.objects().find(({ keyPrefix }) => id.startsWith(keyPrefix));
  }

  children(parent: ObjectType): ChildRelationship[] {
    return this.objects().flatMap((object) =>
      object.fields
        .filter(({ referenceTo }) => referenceTo.includes(parent.name))
        .map((field) => ({ object, field })),
    );
  }

  enablePersonAccounts(): void {
    for (const [name, fields] of Object.entries(personFields)) {
      const type = this.object(name);
      if (type) this.#put({ ...type, fields: [...type.fields, ...fields] });
    }
  }

  /** Adds a custom field and returns its id. Throws `Error` with Salesforce's reason. */
  addField(input: unknown): string {
    const custom = CustomField.parse(input);
    this.#applyField(custom);
    return this.#keep('CustomField', '00N', custom);
  }

  /** Adds a custom object and returns its id. Throws `Error` with Salesforce's reason. */
  addObject(input: unknown): string {
    const custom = CustomObject.parse(input);
    this.#applyObject(custom);
    return this.#keep('CustomObject', '01I', custom);
  }

  #keep(kind: string, prefix: string, metadata: Readonly<Record<string, unknown>>): string {
    const id = idOf(prefix, this.#metadata.list(kind).length + 1);
    this.#metadata.put(kind, id, metadata);
    return id;
  }

  #applyField({ FullName, Metadata }: ReturnType<typeof CustomField.parse>): void {
    const [object = '', name = ''] = FullName.split('.');
    const targets = object === 'Activity' ? ACTIVITY : [object];
    for (const target of targets) {
      const type = this.#types.get(target.toLowerCase());
      if (type === undefined)
        throw new Error(`Entity Enumeration Or ID: bad value for restricted picklist field: ${target}`);
      if (this.field(type, name))
        throw new Error(`There is already a field named ${name.replace(/__c$/u, '')} on ${type.label}.`);
      this.#put({ ...type, fields: [...type.fields, customField(name, Metadata)] });
    }
  }

  #applyObject(custom: ReturnType<typeof CustomObject.parse>): void {
    if (this.#types.has(custom.fullName.toLowerCase()))
      throw new Error(`There is already an object named ${custom.fullName}.`);
    const number = [...this.#types.values()].filter((type) => type.custom).length;
    this.#put(customObject(custom, `a${String(number).padStart(2, '0')}`));
  }

  #put(type: ObjectType): void {
    this.#types.set(type.name.toLowerCase(), type);
  }
}
