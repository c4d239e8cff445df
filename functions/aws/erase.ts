import type { Customer } from '../../core/customer.ts';
import { HubError } from '../../core/errors.ts';
import { pairId, sortedPair } from '../../core/ledger.ts';
import type { BusEvent } from '../record/events.ts';
import type { CommandMessage } from '../record/message.ts';
import { listedKey, unlist } from './lists.ts';
import * as rows from './rows.ts';
import { forgetMessages } from './standing.ts';
import type { Table, Write } from './table.ts';
import type { Tombstones } from './tombstones.ts';

const PER_TRANSACTION = 50;

/**
 * Removes every row of a person, all halves, leaving for each interaction only that it was seen, so that a late
 * redelivery brings nothing back. Repeatable: what is already gone is passed by.
 */
export const erase =
  (table: Table, tombstones: () => Promise<Tombstones>) =>
  async (customer: Customer, command: CommandMessage): Promise<readonly BusEvent[]> => {
    const { seenKey } = await tombstones();
    for (const { profile } of customer.halves) {
      let writes: Write[] = [
        ...profile.identifiers.map(rows.identifierKey),
        ...profile.asked.map((other) => rows.reviewKey(pairId(sortedPair(profile.id, other)))),
      ].map((key) => ({ delete: key }));
      // Before the interactions, so that a broken erasure finds them again; and after, for what was told meanwhile.
      let told: rows.InteractionRow[] = [];
      for await (const row of table.query(`customer#${profile.id}`)) {
        if (row.sk === 'profile' || row.sk === 'activity' || row.sk === 'listed') continue;
        writes.push({ delete: { pk: row.pk, sk: row.sk } });
        if (row.sk.startsWith('at#')) {
          const interaction = rows.interactionOf(row);
          writes.push({ put: { ...seenKey(interaction.id), erased: true } });
          told.push(interaction);
        }
        if (writes.length >= PER_TRANSACTION) {
          await forgetMessages(table, told);
          await must(table, writes);
          await forgetMessages(table, told);
          [writes, told] = [[], []];
        }
      }
      await forgetMessages(table, told);
      await unlist(table, profile.id);
      // The profile goes last: as long as it stands, an interrupted erasure can be taken up again.
      await must(table, [
        ...writes,
        { delete: rows.profileKey(profile.id) },
        { delete: rows.activityKey(profile.id) },
        { check: listedKey(profile.id), if: { absent: true } },
      ]);
      await forgetMessages(table, told);
    }
    return [{ type: 'customer.erased', detail: { customer: { id: customer.id } }, at: command.at }];
  };

/** Others may be in the way, or list the customer at this moment: the command is delivered again. */
const must = async (table: Table, writes: readonly Write[]): Promise<void> => {
  if (await table.transact(writes)) return;
  throw new HubError(
    'table-busy',
    'Other transactions were in the way of an erasure; it is taken up again.',
    { retry: 'later' },
  );
};
