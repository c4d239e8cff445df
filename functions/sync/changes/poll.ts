import type { CrmSession } from '../../../core/crm/connector.ts';
import { HubError } from '../../../core/errors.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Table } from '../../aws/clients/dynamo.ts';
import { pollKey } from '../../contracts/keys.ts';
import { log } from '../../contracts/log.ts';
import { type PollState, pollStateOf } from '../../contracts/rows/connections.ts';
import type { PauseAfter } from '../jobs/pause.ts';
import type { SyncPorts } from '../ports.ts';
import { type NewsPorts, newsIn } from './news.ts';

export interface PollPorts {
  readonly sync: NewsPorts &
    Pick<SyncPorts, 'crm' | 'scope' | 'now' | 'call' | 'queueAgain'> & {
      readonly open: () => Promise<Pick<CrmSession, 'changes'>>;
    };
  readonly table: Pick<Table, 'get' | 'put'>;
  /** The seconds until the CRM, or its object of contacts, can be used again; undefined where it can. */
  readonly secondsUntilOpen: (object: string) => Promise<number | undefined>;
  readonly pauseAfter: PauseAfter;
  readonly hasTime: () => boolean;
}

/** The first poll looks back so far, to the time when the secret was stored. */
const FIRST_MS = 600_000;
/** What was changed so shortly ago is left to the next poll: a slower transaction may become visible after a faster one. */
const UNSETTLED_MS = 10_000;

/**
 * Asks a CRM that reports nothing by itself what has changed, object by object. What may be news is queued like a report of
 * any other CRM; how far the hub has read is stored when the queue has accepted it, so that nothing is lost in between.
 */
export const pollChanges = async (ports: PollPorts): Promise<void> => {
  const { contact, followed } = await ports.sync.mapping();
  if (followed.size === 0 || (await ports.secondsUntilOpen(contact.object)) !== undefined) return;
  for (const [object, fields] of followed) {
    try {
      await pollObject(ports, object, fields);
    } catch (error) {
      // Before it has worked once a connection is being set up, and nothing of it is missing yet.
      if (error instanceof HubError && (await stateOf(ports, contact.object)) === undefined) {
        log('info', 'poll-before-set-up', { crm: ports.sync.crm }, error);
        return;
      }
      if ((await ports.pauseAfter(error)) === undefined) throw error;
      if ((await ports.secondsUntilOpen(contact.object)) !== undefined) return;
    }
  }
};

const stateOf = async ({ sync, table }: PollPorts, object: string): Promise<PollState | undefined> => {
  const [row] = await table.get([pollKey(sync.scope, object)]);
  return row === undefined ? undefined : pollStateOf(row);
};

const pollObject = async (ports: PollPorts, object: string, fields: readonly string[]): Promise<void> => {
  const { sync, hasTime } = ports;
  const session = await sync.open();
  if (session.changes === undefined) return;
  const stored = await stateOf(ports, object);
  let state = stored ?? { version: 0, from: instant(sync.now() - FIRST_MS) };
  for (;;) {
    const { cursor, from } = state;
    const until = instant(sync.now() - UNSETTLED_MS);
    const since = { fields, from, until, ...(cursor !== undefined && { cursor }) };
    const page = await session.changes(object, since, sync.call);
    const news = await newsIn(sync, object, fields, page);
    if (news.length > 0) await sync.queueAgain(news.map((change) => ({ change })));
    const next = { version: state.version + 1, from, cursor: page.next };
    // Another worker that reads the same has queued it too.
    if (page.next !== cursor && !(await put(ports, object, state.version, next))) return;
    if (!page.hasMore || !hasTime()) return;
    state = next;
  }
};

const put = (
  { sync, table }: PollPorts,
  object: string,
  version: number,
  next: PollState,
): Promise<boolean> =>
  table.put({ ...pollKey(sync.scope, object), ...next }, version === 0 ? { absent: true } : { version });
