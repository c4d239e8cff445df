import { interactionId } from '../../core/interaction/interaction.ts';
import type { Loaded } from '../contracts/ports/record.ts';
import type { InteractionWork, Work } from '../contracts/work.ts';

/**
 * Work that names nobody and refers to a message of the same batch, such as a read receipt that comes in one delivery with
 * what was read: whose it is can be told once the message is stored.
 */
export const findOutOfOrder = (
  works: readonly Work[],
  namesSomebody: (work: InteractionWork) => boolean,
): ReadonlySet<Work> => {
  const acts = works.filter((work) => work.type === 'interaction');
  const messages = new Set(
    acts.filter(namesSomebody).flatMap(({ interaction: { id, provider, direction, externalId } }) =>
      // What we sent is found by the provider's own id for it, whatever its key.
      direction === 'outbound' && externalId !== undefined ? [id, `${provider}#${externalId}`] : [id],
    ),
  );
  if (messages.size === 0) return new Set();
  return new Set(
    acts.filter((work) => {
      const { provider, account, refersTo } = work.interaction;
      if (refersTo === undefined || namesSomebody(work)) return false;
      return (
        messages.has(interactionId(provider, account, refersTo)) || messages.has(`${provider}#${refersTo}`)
      );
    }),
  );
};

/** Work that came before the message that it refers to, from whichever delivery that comes. */
export const findAheadOfMessage = (
  works: readonly Work[],
  { seen, referred, receivedBeforeErasure: overtaken }: Loaded,
): ReadonlyMap<Work, () => Promise<void>> =>
  new Map(
    works.flatMap((work) => {
      if (work.type !== 'interaction' || work.later === undefined) return [];
      const { id } = work.interaction;
      return seen.has(id) || referred.has(id) || overtaken.has(id) ? [] : [[work, work.later]];
    }),
  );
