import { HubError } from '../../../core/errors.ts';
import { tolerant } from '../../../core/formats/tolerant.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Table } from '../../aws/clients/dynamo.ts';
import type { sendAllTo } from '../../aws/clients/queue-many.ts';
import { parkedKey, parkedPartition } from '../../contracts/keys.ts';
import { CrmMessage } from '../../contracts/messages/sync.ts';
import { type ParkedMessage, parkedMessageOf } from '../../contracts/rows/connections.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { SealedStage } from '../../contracts/stages/stage.ts';
import type { Pending } from './pending.ts';

/** The messages that wait until an object of a CRM can be used again. */
export interface ParkedMessages {
  /** Stores messages; one that waits already waits once. */
  add(object: string, pending: readonly Pending[]): Promise<void>;
  /** Some of the messages, with their ids. */
  some(object: string): Promise<Pending[]>;
  remove(object: string, id: string): Promise<void>;
  /**
   * Puts every message back on the queue, with its first time of queueing. One that ends half-way may be repeated. Resolves
   * to false where `hasTime` turned false before all were sent. Rejects with `HubError` `enqueue-failure` (later).
   */
  release(object: string, hasTime: () => boolean): Promise<boolean>;
}

export interface ParkedPorts {
  readonly crm: string;
  readonly stage: SealedStage;
  readonly table: Table;
  readonly sendAll: ReturnType<typeof sendAllTo>;
  readonly now: () => number;
}

const WRITES_AT_ONCE = 25;
const PAGE = 100;
const SOME = 10;

export const parkedMessages = ({ crm, stage, table, sendAll, now }: ParkedPorts): ParkedMessages => ({
  async add(object, pending) {
    const parkedAt = instant(now());
    for (let start = 0; start < pending.length; start += WRITES_AT_ONCE)
      await Promise.all(
        pending.slice(start, start + WRITES_AT_ONCE).map(({ body, attributes }) => {
          const row: ParkedMessage = { body, attributes, parkedAt };
          return table.put({ ...parkedKey(crm, object, stage.known(body).id), ...row });
        }),
      );
  },
  async some(object) {
    const { rows } = await table.page(parkedPartition(crm, object), { pageSize: SOME });
    return rows.flatMap((row) => {
      const { body, attributes } = parkedMessageOf(row);
      const message = tolerant(CrmMessage).safeParse(JSON.parse(body));
      return message.success ? [{ id: row.sk, message: message.data, body, attributes, receives: 1 }] : [];
    });
  },
  async remove(object, id) {
    await table.transact([{ delete: parkedKey(crm, object, id) }]);
  },
  async release(object, hasTime) {
    for (;;) {
      if (!hasTime()) return false;
      const { rows, isLast } = await table.page(parkedPartition(crm, object), { pageSize: PAGE });
      if (rows.length > 0) await sendBack(table, sendAll, rows);
      if (isLast) return true;
    }
  },
});

/** A message is deleted here after the queue has accepted it. */
const sendBack = async (
  table: Table,
  sendAll: ParkedPorts['sendAll'],
  rows: readonly Row[],
): Promise<void> => {
  const refused = await sendAll(rows.map((row) => parkedMessageOf(row)));
  const sent = rows.filter((_, position) => !refused.has(position));
  if (sent.length > 0) await table.transact(sent.map(({ pk, sk }) => ({ delete: { pk, sk } })));
  if (refused.size > 0)
    throw new HubError('enqueue-failure', `SQS did not accept ${refused.size} of the parked messages.`, {
      retry: 'later',
    });
};
