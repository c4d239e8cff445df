import { objectType } from './object-types.ts';

/** A kind of association from one type to another. */
export interface AssociationType {
  readonly typeId: number;
  readonly category: 'HUBSPOT_DEFINED' | 'USER_DEFINED';
  readonly label?: string;
  readonly from: string;
  readonly to: string;
  /** The type id of the same association seen from the other side. */
  readonly inverse: number;
}

// From, to, type id, type id of the way back. The first of a pair is the default, without a label.
const PAIRS: readonly (readonly [string, string, number, number, string?])[] = [
  ['contacts', 'companies', 279, 280],
  ['contacts', 'companies', 1, 2, 'Primary'],
  ['contacts', 'deals', 4, 3],
  ['contacts', 'tickets', 15, 16],
  ['companies', 'deals', 342, 341],
  ['companies', 'deals', 6, 5, 'Primary'],
  ['companies', 'tickets', 340, 339],
  ['companies', 'tickets', 25, 26, 'Primary'],
  ['deals', 'tickets', 27, 28],
  ['contacts', 'contacts', 449, 449],
  ['companies', 'companies', 450, 450],
  ['deals', 'deals', 451, 451],
  ['tickets', 'tickets', 452, 452],
  ['communications', 'contacts', 81, 82],
  ['communications', 'tickets', 83, 84],
  ['communications', 'deals', 85, 86],
  ['communications', 'companies', 87, 88],
  ['calls', 'companies', 182, 181],
  ['calls', 'contacts', 194, 193],
  ['calls', 'deals', 206, 205],
  ['calls', 'tickets', 220, 219],
  ['emails', 'companies', 186, 185],
  ['emails', 'contacts', 198, 197],
  ['emails', 'deals', 210, 209],
  ['emails', 'tickets', 224, 223],
  ['meetings', 'companies', 188, 187],
  ['meetings', 'contacts', 200, 199],
  ['meetings', 'deals', 212, 211],
  ['meetings', 'tickets', 226, 225],
  ['notes', 'companies', 190, 189],
  ['notes', 'contacts', 202, 201],
  ['notes', 'deals', 214, 213],
  ['notes', 'tickets', 228, 227],
  ['tasks', 'companies', 192, 191],
  ['tasks', 'contacts', 204, 203],
  ['tasks', 'deals', 216, 215],
  ['tasks', 'tickets', 230, 229],
];

export const hubspotDefined: readonly AssociationType[] = PAIRS.flatMap(
  ([from, to, typeId, inverse, label]): AssociationType[] => {
    const rest = { category: 'HUBSPOT_DEFINED' as const, ...(label && { label }) };
    const there = { typeId, inverse, from, to, ...rest };
    return typeId === inverse
      ? [there]
      : [there, { typeId: inverse, inverse: typeId, from: to, to: from, ...rest }];
  },
);

/** As webhooks name it: `CONTACT_TO_TICKET`. */
export const associationName = (from: string, to: string): string =>
  `${objectType(from).singular}_TO_${objectType(to).singular}`.toUpperCase();
