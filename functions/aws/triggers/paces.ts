import { initialPace, type Pace } from '../../../core/triggers/sending/pace.ts';
import { paceKey } from '../../contracts/keys.ts';
import { paceOf } from '../../contracts/rows/connections.ts';
import type { Table } from '../clients/dynamo.ts';
import { type Pausing, updateOptimistically } from '../clients/optimistic.ts';

/** The paces of the senders, a row each, which all workers share. */
export interface Paces {
  /** By sender; one that has never sent is at its beginning. */
  read(senders: readonly string[]): Promise<Map<string, Pace>>;
  /**
   * Changes a pace as `present` or, where another worker has written meanwhile, as it is then. Resolves to the pace that is
   * stored; `next` returns the same value for no change. Rejects with `HubError` `write-conflict` (later).
   */
  change(sender: string, present: Pace, next: (pace: Pace) => Pace): Promise<Pace>;
}

export const paces = (pausing: Pausing, table: Table): Paces => {
  const read: Paces['read'] = async (senders) => {
    const rows = new Map((await table.get(senders.map(paceKey))).map((row) => [row.pk, paceOf(row)]));
    return new Map(senders.map((id) => [id, rows.get(paceKey(id).pk) ?? initialPace]));
  };
  return {
    read,
    async change(sender, present, next) {
      let known: Pace | undefined = present;
      let stored = present;
      await updateOptimistically(pausing, `The pace of ${sender}`, async () => {
        const from = known ?? (await read([sender])).get(sender) ?? initialPace;
        known = undefined;
        const changed = next(from);
        stored = changed === from ? from : { ...changed, version: from.version + 1 };
        if (stored === from) return true;
        return table.put(
          { ...paceKey(sender), ...stored },
          from.version === 0 ? { absent: true } : { version: from.version },
        );
      });
      return stored;
    },
  };
};
