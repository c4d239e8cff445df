import type { Relations } from '../../../core/interaction/relation.ts';
import { interactionKey, isMessageStatusKey, messageKey, messageStatusKey } from '../../contracts/keys.ts';
import {
  type InteractionRow,
  interactionOf,
  messagePointerOf,
  messageStatusOf,
} from '../../contracts/rows/interactions.ts';
import type { Table } from '../clients/dynamo.ts';

interface MessageId {
  readonly provider: string;
  readonly externalId: string;
}

/** Reads the messages of triggers with these ids, each with what was reported about it: two requests, whatever their number. */
export const triggerMessages =
  (table: Table) =>
  async (
    ids: readonly MessageId[],
  ): Promise<{ readonly notification: InteractionRow; readonly relations: Relations }[]> => {
    const rows = await table.get(
      ids.flatMap(({ provider, externalId }) => [
        messageKey(provider, externalId),
        messageStatusKey(provider, externalId),
      ]),
    );
    const relations = new Map(
      rows.filter(isMessageStatusKey).map((row) => [row.pk, messageStatusOf(row).relations]),
    );
    const pointers = rows
      .filter((row) => !isMessageStatusKey(row) && relations.has(row.pk))
      .map(messagePointerOf);
    const found = (await table.get(pointers.map(({ address }) => interactionKey(address)))).map(
      interactionOf,
    );
    return found.flatMap((one) =>
      one.kind === 'notification' && one.externalId !== undefined
        ? [
            {
              notification: one,
              relations: relations.get(messageKey(one.provider, one.externalId).pk) ?? {},
            },
          ]
        : [],
    );
  };
