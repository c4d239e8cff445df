import type { Records } from '../../protocol/records.ts';
import type { ObjectType } from './object-types.ts';
import { names, standardsOf } from './standard-properties.ts';

export interface PropertyOption {
  readonly label: string;
  readonly value: string;
  readonly displayOrder: number;
  readonly hidden: boolean;
}

export interface Property {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  readonly fieldType: string;
  readonly description: string;
  readonly groupName: string;
  readonly options: readonly PropertyOption[];
  readonly hasUniqueValue: boolean;
  readonly readOnly: boolean;
  readonly hubspotDefined: boolean;
}

export const optionsOf = (values: readonly string[]): PropertyOption[] =>
  values.map((value, displayOrder) => ({ label: value, value, displayOrder, hidden: false }));

const property = (
  type: ObjectType,
  name: string,
  kind: string,
  fieldType: string,
  values: readonly string[] = [],
): Property => ({
  name,
  label: name,
  type: kind,
  fieldType,
  description: '',
  groupName: `${type.singular}information`,
  options: optionsOf(values),
  hasUniqueValue: false,
  readOnly: false,
  hubspotDefined: true,
});

const standardProperties = (type: ObjectType): Property[] => {
  const groups = standardsOf(type.name);
  const readOnly = new Set(groups.flatMap((group) => names(group.readOnly)));
  const all = groups.flatMap((group) => [
    ...names(group.string).map((name) => property(type, name, 'string', 'text')),
    ...names(group.phone).map((name) => property(type, name, 'string', 'phonenumber')),
    ...names(group.number).map((name) => property(type, name, 'number', 'number')),
    ...names(group.date).map((name) => property(type, name, 'date', 'date')),
    ...names(group.datetime).map((name) => property(type, name, 'datetime', 'date')),
    ...names(group.bool).map((name) => property(type, name, 'bool', 'booleancheckbox', ['true', 'false'])),
    ...Object.entries(group.enumeration ?? {}).map(([name, values]) =>
      property(type, name, 'enumeration', 'select', values),
    ),
    ...Object.entries(group.checkbox ?? {}).map(([name, values]) =>
      property(type, name, 'enumeration', 'checkbox', values),
    ),
  ]);
  return all.map((one) => ({ ...one, readOnly: readOnly.has(one.name) }));
};

/** What properties the account has: HubSpot's own, and those that an administrator or an app added. */
export class Properties {
  readonly #store: Records;
  readonly #standard = new Map<string, Map<string, Property>>();
  /** Properties that are taken for absent, by object. */
  #hidden = new Map<string, ReadonlySet<string>>();

  constructor(store: Records) {
    this.#store = store;
  }

  hide(hidden: Map<string, ReadonlySet<string>>): void {
    this.#hidden = hidden;
  }

  list(type: ObjectType): Property[] {
    const added = this.#store
      .list(`property:${type.name}`)
      .map(({ fields }) => fields as unknown as Property);
    const all = new Map([...this.#standardOf(type).values(), ...added].map((one) => [one.name, one]));
    return [...all.values()].filter(({ name }) => !this.#isHidden(type, name));
  }

  get(type: ObjectType, name: string): Property | undefined {
    if (this.#isHidden(type, name)) return undefined;
    const added = this.#store.get(`property:${type.name}`, name)?.fields as unknown as Property | undefined;
    return added ?? this.#standardOf(type).get(name);
  }

  put(type: ObjectType, added: Property): void {
    this.#store.put(`property:${type.name}`, added.name, { ...added });
  }

  /** Whether there was such a property of the account's own. */
  remove(type: ObjectType, name: string): boolean {
    return this.#store.remove(`property:${type.name}`, name);
  }

  /** Whether a record can be found by this property instead of its id. */
  identifies(type: ObjectType, name: string): boolean {
    return this.get(type, name)?.hasUniqueValue === true || (type.name === 'contacts' && name === 'email');
  }

  #isHidden(type: ObjectType, name: string): boolean {
    return this.#hidden.get(type.name)?.has(name) ?? false;
  }

  #standardOf(type: ObjectType): Map<string, Property> {
    const present = this.#standard.get(type.name);
    if (present) return present;
    const made = new Map(standardProperties(type).map((one) => [one.name, one]));
    this.#standard.set(type.name, made);
    return made;
  }
}
