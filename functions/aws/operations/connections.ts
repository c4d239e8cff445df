import * as z from 'zod';
import { type Stop, workingConnection } from '../../../core/crm/connection.ts';
import type { RateLimit } from '../../../core/crm/rate-limit.ts';
import { HubError } from '../../../core/errors.ts';
import { type Instant, instant } from '../../../core/interaction/interaction.ts';
import { initialPace, type SenderStatus, senderStatus } from '../../../core/triggers/sending/pace.ts';
import { budgetKey, connectionKey, paceKey, parkedPartition } from '../../contracts/keys.ts';
import type { ProbeMessage } from '../../contracts/messages/sync.ts';
import { connectionOf, paceOf, rateLimitOf } from '../../contracts/rows/connections.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { connectionStageId } from '../../contracts/stages/sync.ts';
import type { Table } from '../clients/dynamo.ts';
import { sendTo } from '../clients/queue.ts';
import { waitingIn } from '../clients/queue-depth.ts';

type ShownStop = Omit<Stop, 'announced' | 'probes'>;

/** The connection to a CRM, as the API shows it. */
interface ShownConnection extends Partial<ShownStop> {
  readonly crm: string;
  readonly status: 'working' | 'limited' | 'paused';
  /** The account of the CRM in which people are linked to records. */
  readonly account?: string;
  /** How many messages wait in the queue of the CRM, approximately. */
  readonly waiting: number;
  /** When the CRM last said how much of its allowance is used: the last answer that the hub has recorded. */
  readonly answeredAt?: Instant;
  readonly parked: readonly (ShownStop & { readonly object: string; readonly waiting: number })[];
}

/** A sender of messages, as the API shows it. */
interface ShownSender {
  readonly sender: string;
  readonly status: SenderStatus;
  readonly since?: Instant;
  readonly reason?: string;
  /** When it sends again, or is tried again. */
  readonly until?: Instant;
}

export interface Connections {
  /** Senders, with what their vendors have said last. */
  senders(ids: readonly string[]): Promise<ShownSender[]>;
  list(crms: readonly string[]): Promise<ShownConnection[]>;
  /**
   * Finds out at once whether a CRM works. `account`: the one in which a person wants the hub to go on. Rejects with
   * `HubError` `unknown-crm` (never).
   */
  probe(crm: string, account?: string): Promise<void>;
}

const Queues = z.record(z.string(), z.string());
/** More parked messages are not counted. */
const MOST_COUNTED = 1000;

/** The connections to the CRMs. `QUEUE_URLS` names the queues as a JSON object by stage. */
export const connections = (runtime: Runtime, table: Table): Connections => {
  const queues = Queues.parse(JSON.parse(runtime.env['QUEUE_URLS'] ?? '{}'));
  const parkedOf = async (crm: string, object: string): Promise<number> => {
    const range = { pageSize: MOST_COUNTED };
    return (await table.page(parkedPartition(crm, object), range)).rows.length;
  };
  return {
    list: (crms) =>
      Promise.all(
        crms.map(async (crm): Promise<ShownConnection> => {
          const rows = await table.get([connectionKey(crm), budgetKey(crm)]);
          const row = rows.find(({ pk }) => pk === connectionKey(crm).pk);
          const budget = rows.find(({ pk }) => pk === budgetKey(crm).pk);
          const { status, stop, parked, accounts } =
            row === undefined ? workingConnection : connectionOf(row);
          return {
            ...{ crm, status },
            ...(accounts && { account: accounts.present }),
            ...(stop && shown(stop)),
            ...(budget && lastAnswer(rateLimitOf(budget))),
            waiting: await waitingIn(runtime, queues[`sync-${crm}`]),
            parked: await Promise.all(
              Object.entries(parked).map(async ([object, one]) => ({
                ...{ object, ...shown(one), waiting: await parkedOf(crm, object) },
              })),
            ),
          };
        }),
      ),
    async senders(ids) {
      const rows = new Map((await table.get(ids.map(paceKey))).map((row) => [row.pk, paceOf(row)]));
      return ids.map((sender): ShownSender => {
        const pace = rows.get(paceKey(sender).pk) ?? initialPace;
        const { stop } = pace;
        return {
          ...{ sender, status: senderStatus(pace) },
          ...(stop && { since: stop.since, reason: stop.reason, until: instant(stop.until) }),
        };
      });
    },
    async probe(crm, account) {
      const queue = queues[connectionStageId(crm)];
      if (queue === undefined)
        throw new HubError('unknown-crm', `This hub is not connected to a CRM ${crm}.`, { retry: 'never' });
      const message: ProbeMessage = { probe: true, ...(account !== undefined && { account }) };
      await sendTo(runtime, queue)(message);
    },
  };
};

const lastAnswer = ({ quotas }: RateLimit): { answeredAt?: Instant } => {
  const times = Object.values(quotas).map(({ at }) => at);
  return times.length === 0 ? {} : { answeredAt: instant(Math.max(...times)) };
};

const shown = ({ since, code, why, reason, nextProbeAt }: Stop): ShownStop => ({
  ...{ since, code, why, reason, nextProbeAt },
});
