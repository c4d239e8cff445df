import type { Records } from '../../protocol/records.ts';
import { type AssociationType, hubspotDefined } from './association-types.ts';

/** A record as an end of an association. */
export interface End {
  readonly object: string;
  readonly id: string;
}

export interface Linked {
  readonly id: string;
  readonly typeIds: readonly number[];
}

const text = (end: End): string => `${end.object}:${end.id}`;

/** Which records are associated with which, seen from both sides. */
export class Associations {
  readonly #store: Records;
  /** By end, object of the other end and id of the other end. */
  readonly #links = new Map<string, Map<string, Map<string, Set<number>>>>();

  constructor(store: Records) {
    this.#store = store;
    for (const { fields } of store.list('association'))
      this.#set(
        { object: String(fields['from']), id: String(fields['fromId']) },
        { object: String(fields['to']), id: String(fields['toId']) },
        new Set(String(fields['typeIds']).split(',').map(Number)),
      );
  }

  /** HubSpot's types and the labels of the account. The first one that fits a pair and has no label is its default. */
  types(from: string, to: string): AssociationType[] {
    return [...hubspotDefined, ...this.#own()].filter((type) => type.from === from && type.to === to);
  }

  type(typeId: number, category: string): AssociationType | undefined {
    return [...hubspotDefined, ...this.#own()].find(
      (type) => type.typeId === typeId && type.category === category,
    );
  }

  /** A label of the account's own for a pair of objects. Returns both directions. */
  addLabel(from: string, to: string, label: string, inverseLabel = label): AssociationType[] {
    const first = 1 + Math.max(0, ...this.#own().map(({ typeId }) => typeId));
    const category = 'USER_DEFINED' as const;
    const added: AssociationType[] = [
      { typeId: first, inverse: first + 1, category, label, from, to },
      { typeId: first + 1, inverse: first, category, label: inverseLabel, from: to, to: from },
    ];
    for (const type of added) this.#store.put('association-label', String(type.typeId), { ...type });
    return added;
  }

  /** The records of an object that are associated with this one. */
  of(end: End, object: string): Linked[] {
    const links = this.#links.get(text(end))?.get(object) ?? new Map<string, Set<number>>();
    return [...links].map(([id, typeIds]) => ({ id, typeIds: [...typeIds] }));
  }

  /** Whether something is new. A label comes with the association without one. */
  add(from: End, to: End, types: readonly AssociationType[]): boolean {
    const [unlabelled] = this.types(from.object, to.object).filter(({ label }) => !label);
    const all = [...(unlabelled ? [unlabelled] : []), ...types];
    const before = this.#links.get(text(from))?.get(to.object)?.get(to.id) ?? new Set<number>();
    if (all.every(({ typeId }) => before.has(typeId))) return false;
    this.#put(from, to, new Set([...before, ...all.map(({ typeId }) => typeId)]));
    const back = this.#links.get(text(to))?.get(from.object)?.get(from.id) ?? new Set<number>();
    this.#put(to, from, new Set([...back, ...all.map(({ inverse }) => inverse)]));
    return true;
  }

  /** Whether there was an association. */
  remove(from: End, to: End): boolean {
    const there = this.#links.get(text(from))?.get(to.object)?.delete(to.id) ?? false;
    this.#links.get(text(to))?.get(from.object)?.delete(from.id);
    this.#store.remove('association', `${text(from)}>${text(to)}`);
    this.#store.remove('association', `${text(to)}>${text(from)}`);
    return there;
  }

  /** Takes labels off; the association stays. */
  removeTypes(from: End, to: End, types: readonly AssociationType[]): void {
    const there = this.#links.get(text(from))?.get(to.object)?.get(to.id);
    const back = this.#links.get(text(to))?.get(from.object)?.get(from.id);
    if (!there || !back) return;
    const gone = new Set(types.map(({ typeId }) => typeId));
    const goneBack = new Set(types.map(({ inverse }) => inverse));
    this.#put(from, to, new Set([...there].filter((typeId) => !gone.has(typeId))));
    this.#put(to, from, new Set([...back].filter((typeId) => !goneBack.has(typeId))));
  }

  /** Everything that is associated with a record. */
  all(end: End): { readonly to: End; readonly typeIds: readonly number[] }[] {
    return [...(this.#links.get(text(end)) ?? [])].flatMap(([object, links]) =>
      [...links].map(([id, typeIds]) => ({ to: { object, id }, typeIds: [...typeIds] })),
    );
  }

  #own(): AssociationType[] {
    return this.#store.list('association-label').map(({ fields }) => fields as unknown as AssociationType);
  }

  #put(from: End, to: End, typeIds: Set<number>): void {
    this.#set(from, to, typeIds);
    this.#store.put('association', `${text(from)}>${text(to)}`, {
      from: from.object,
      fromId: from.id,
      to: to.object,
      toId: to.id,
      typeIds: [...typeIds].join(','),
    });
  }

  #set(from: End, to: End, typeIds: Set<number>): void {
    const byObject = this.#links.get(text(from)) ?? new Map<string, Map<string, Set<number>>>();
    const byId = byObject.get(to.object) ?? new Map<string, Set<number>>();
    this.#links.set(text(from), byObject.set(to.object, byId.set(to.id, typeIds)));
  }
}
