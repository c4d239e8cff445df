import type { Identifier } from '../../../core/identity/identifier.ts';
import type { IdentityConfig } from '../../../core/identity/rules.ts';
import { interactionId } from '../../../core/interaction/interaction.ts';
import { targetOf } from '../../../core/interaction/relation.ts';
import type { Remembered } from '../../../core/privacy/erasure.ts';
import { erasedOf, seenOf } from '../../contracts/rows.ts';
import { identifiersOf, idOf, type Work } from '../../contracts/work.ts';
import type { Key, Row } from '../clients/dynamo.ts';
import type { Tombstones } from './hashed-keys.ts';

interface Around {
  readonly owners: ReadonlyMap<Identifier, string>;
  readonly config: IdentityConfig;
  readonly marks: Tombstones;
}

/** What erasures have left of identifiers that nobody owns now. Nothing is asked of those that somebody owns. */
interface Graves {
  readonly keys: readonly Key[];
  /** Of the rows found: the ids of work that was on its way when its person was erased. */
  overtaken(found: readonly Row[]): string[];
  remembered(found: readonly Row[]): Map<Identifier, Remembered>;
}

/**
 * Work is overtaken when nobody owns what it names and it was in the hub's hands before one of those identifiers was
 * erased; or when it is about a message that was erased: our own notification, or a provider's word of what became of it.
 */
export const gravesOf = (works: readonly Work[], { owners, config, marks }: Around): Graves => {
  const named = works.map((work) => ({ work, identifiers: identifiersOf(work, config) }));
  const free = new Set(named.flatMap(({ identifiers }) => identifiers.filter((one) => !owners.has(one))));
  const strangers = named.filter(
    ({ work, identifiers }) =>
      identifiers.length > 0 &&
      identifiers.every((one) => !owners.has(one)) &&
      (work.type === 'interaction' || work.command.command === 'import'),
  );
  const referred = (work: Work): Key | undefined => {
    const target = work.type === 'interaction' ? targetOf(work.interaction) : undefined;
    if (work.type === 'command' || target === undefined) return undefined;
    const { provider, account } = work.interaction;
    return marks.seenKey(interactionId(provider, account, target));
  };
  return {
    keys: [...[...free].map(marks.erasedKey), ...strangers.flatMap(({ work }) => referred(work) ?? [])],
    overtaken(found) {
      const rows = new Map(found.map((row) => [row.pk, row]));
      return strangers.flatMap(({ work, identifiers }) => {
        const graves = identifiers.flatMap((one) => rows.get(marks.erasedKey(one).pk) ?? []).map(erasedOf);
        const about = rows.get(referred(work)?.pk ?? '');
        const ours = work.type === 'interaction' && work.interaction.kind === 'notification';
        const at = work.type === 'interaction' ? work.receivedAt : work.command.at;
        const late = graves.some((grave) => ours || at <= grave.at);
        return late || (about !== undefined && seenOf(about).erased === true) ? [idOf(work)] : [];
      });
    },
    remembered(found) {
      const rows = new Map(found.map((row) => [row.pk, row]));
      return new Map(
        [...free].flatMap((identifier) => {
          const row = rows.get(marks.erasedKey(identifier).pk);
          const told = row && erasedOf(row).remembered;
          return told ? [[identifier, told] as const] : [];
        }),
      );
    },
  };
};
