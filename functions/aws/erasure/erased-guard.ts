import type { Identifier } from '../../../core/identity/identifier.ts';
import type { IdentityConfig } from '../../../core/identity/rules.ts';
import { interactionId } from '../../../core/interaction/interaction.ts';
import { targetOf } from '../../../core/interaction/relation.ts';
import type { RetainedRefusal } from '../../../core/privacy/erasure.ts';
import type { Key } from '../../contracts/keys.ts';
import { seenOf } from '../../contracts/rows/interactions.ts';
import { erasedOf } from '../../contracts/rows/people.ts';
import type { Row } from '../../contracts/rows/row.ts';
import { identifiersOf, idOf, type Work } from '../../contracts/work.ts';
import type { HashedKeys } from './hashed-keys.ts';

interface Around {
  readonly owners: ReadonlyMap<Identifier, string>;
  readonly config: IdentityConfig;
  readonly hashedKeys: HashedKeys;
}

/** What erasures have left of identifiers that nobody owns now. Nothing is asked of those that somebody owns. */
interface ErasedGuard {
  readonly keys: readonly Key[];
  /** Of the rows found: the ids of work that was on its way when its person was erased. */
  receivedBeforeErasure(found: readonly Row[]): string[];
  retainedRefusals(found: readonly Row[]): Map<Identifier, RetainedRefusal>;
}

/**
 * Work is overtaken when nobody owns what it names and it was in the hub's hands before one of those identifiers was
 * erased; or when it is about a message that was erased: our own notification, or a provider's word of what became of it.
 */
export const erasedGuard = (works: readonly Work[], { owners, config, hashedKeys }: Around): ErasedGuard => {
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
    return hashedKeys.seenKey(interactionId(provider, account, target));
  };
  return {
    keys: [...[...free].map(hashedKeys.erasedKey), ...strangers.flatMap(({ work }) => referred(work) ?? [])],
    receivedBeforeErasure(found) {
      const rows = new Map(found.map((row) => [row.pk, row]));
      return strangers.flatMap(({ work, identifiers }) => {
        const graves = identifiers
          .flatMap((one) => rows.get(hashedKeys.erasedKey(one).pk) ?? [])
          .map(erasedOf);
        const about = rows.get(referred(work)?.pk ?? '');
        const ours = work.type === 'interaction' && work.interaction.kind === 'notification';
        const at = work.type === 'interaction' ? work.receivedAt : work.command.at;
        const late = graves.some((grave) => ours || at <= grave.at);
        return late || (about !== undefined && seenOf(about).erased === true) ? [idOf(work)] : [];
      });
    },
    retainedRefusals(found) {
      const rows = new Map(found.map((row) => [row.pk, row]));
      return new Map(
        [...free].flatMap((identifier) => {
          const row = rows.get(hashedKeys.erasedKey(identifier).pk);
          const told = row && erasedOf(row).retainedRefusal;
          return told ? [[identifier, told] as const] : [];
        }),
      );
    },
  };
};
