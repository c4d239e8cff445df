import type { Identifier } from '../../../core/identity/identifier.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { interactionId } from '../../../core/interaction/interaction.ts';
import { targetOf } from '../../../core/interaction/relation.ts';
import type { RetainedRefusal } from '../../../core/privacy/erasure.ts';
import type { Key } from '../../contracts/keys.ts';
import { seenOf } from '../../contracts/rows/interactions.ts';
import { erasedOf } from '../../contracts/rows/people.ts';
import type { Row } from '../../contracts/rows/row.ts';
import { identifiersOf, idOf, referencesOf, type Work } from '../../contracts/work.ts';
import type { HashedKeys } from './hashed-keys.ts';

interface GuardContext {
  /** Owners of the identifiers that the work names, as far as they have one. */
  readonly owners: ReadonlyMap<Identifier, string>;
  readonly config: IdentityConfig;
  readonly hashedKeys: HashedKeys;
}

/** What erasures stored about identifiers without an owner. Identifiers with an owner need no look-up. */
interface ErasedGuard {
  /** The rows to read. */
  readonly keys: readonly Key[];
  /** From the rows found: the ids of work that was queued before its person was erased, and must be dropped. */
  receivedBeforeErasure(found: readonly Row[]): string[];
  /** From the rows found: refusals that hold for the next owner of an identifier. */
  retainedRefusals(found: readonly Row[]): Map<Identifier, RetainedRefusal>;
}

/**
 * Work is dropped when none of its identifiers has an owner and one of them was erased after the hub received the work;
 * when it is about a message that was erased: our own notification, or a provider's report; or when a CRM or an import
 * reports a record of an erased person, whenever that is: a CRM gives the same person a new record, never an old id again.
 */
export const erasedGuard = (
  works: readonly Work[],
  { owners, config, hashedKeys }: GuardContext,
): ErasedGuard => {
  const named = works.map((work) => ({ work, identifiers: identifiersOf(work, config) }));
  const unowned = new Set(named.flatMap(({ identifiers }) => identifiers.filter((one) => !owners.has(one))));
  const suspects = named.filter(
    ({ work, identifiers }) =>
      identifiers.length > 0 &&
      identifiers.every((one) => !owners.has(one)) &&
      (work.type === 'interaction' || work.command.command === 'import'),
  );
  const records = works.flatMap((work) =>
    work.type === 'command' || work.interaction.channel === 'crm'
      ? [{ work, references: referencesOf(work, config).filter((one) => !owners.has(one)) }]
      : [],
  );
  const targetKey = (work: Work): Key | undefined => {
    const target = work.type === 'interaction' ? targetOf(work.interaction) : undefined;
    if (work.type === 'command' || target === undefined) return undefined;
    const { provider, account } = work.interaction;
    return hashedKeys.seenKey(interactionId(provider, account, target));
  };
  return {
    keys: [
      ...[...unowned, ...records.flatMap(({ references }) => references)].map(hashedKeys.erasedKey),
      ...suspects.flatMap(({ work }) => targetKey(work) ?? []),
    ],
    receivedBeforeErasure(found) {
      const rows = new Map(found.map((row) => [row.pk, row]));
      const ofErased = records.flatMap(({ work, references }) =>
        references.some((one) => rows.has(hashedKeys.erasedKey(one).pk)) ? [idOf(work)] : [],
      );
      const late = suspects.flatMap(({ work, identifiers }) => {
        const erasedAt = identifiers
          .flatMap((one) => rows.get(hashedKeys.erasedKey(one).pk) ?? [])
          .map((row) => erasedOf(row).at);
        const target = rows.get(targetKey(work)?.pk ?? '');
        const isNotification = work.type === 'interaction' && work.interaction.kind === 'notification';
        const receivedAt = work.type === 'interaction' ? work.receivedAt : work.command.at;
        const isLate = erasedAt.some((at) => isNotification || receivedAt <= at);
        return isLate || (target !== undefined && seenOf(target).erased === true) ? [idOf(work)] : [];
      });
      return [...ofErased, ...late];
    },
    retainedRefusals(found) {
      const rows = new Map(found.map((row) => [row.pk, row]));
      return new Map(
        [...unowned].flatMap((identifier) => {
          const row = rows.get(hashedKeys.erasedKey(identifier).pk);
          const refusal = row && erasedOf(row).retainedRefusal;
          return refusal ? [[identifier, refusal] as const] : [];
        }),
      );
    },
  };
};
