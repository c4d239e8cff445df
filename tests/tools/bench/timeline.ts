import { history } from '../../../functions/aws/customers/history.ts';
import { messageStatuses } from '../../../functions/aws/customers/message-status.ts';
import { timelines } from '../../../functions/aws/customers/timeline.ts';
import { identifierKey } from '../../../functions/contracts/keys.ts';
import type {
  StoredInteraction,
  TimelineCursor,
  TimelinePage,
} from '../../../functions/contracts/ports/history.ts';
import { ownerOf } from '../../../functions/contracts/rows/people.ts';
import type { Work } from '../../../functions/contracts/work.ts';
import { noPause } from '../../support/no-pause.ts';
import { openTestTable } from '../../support/open-test-table.ts';
import type { Measured } from './measured.ts';
import { loadHashedKeys, recorder, said } from './record.ts';

const ALIASES = ['phone:+14155550100', 'email:ada@example.com', 'user-id:42'] as const;
const TURNS = 60;
const PAGE = 50;

const time = (turn: number, minute: number): string =>
  new Date(Date.parse('2026-03-01T09:00:00Z') + (turn * 10 + minute) * 60_000).toISOString();

/** A message of ours with what became of it, and an answer to it. */
const turn = (alias: string, at: number): Work[] => {
  const key = `${alias} ${at}`;
  const about = { refersTo: key, externalId: key };
  const status = (name: string, minute: number): Work =>
    said(`${key}:${name}`, [alias], {
      ...{ ...about, kind: 'delivery-status', direction: 'outbound', properties: { status: name } },
      occurredAt: time(at, minute),
    });
  return [
    said(key, [alias], { kind: 'echo', direction: 'outbound', occurredAt: time(at, 0) }),
    status('sent', 1),
    status('delivered', 2),
    said(`${key}:answer`, [alias], { refersTo: key, occurredAt: time(at, 3), text: 'An answer' }),
  ];
};

/** Requests and read units of what an agent sees first of a person of three halves, and of the last page of it. */
export const benchTimeline = async (): Promise<Measured[]> => {
  const table = await openTestTable();
  const use = recorder(table);
  const works = Array.from({ length: TURNS }, (_, at) => ALIASES.flatMap((alias) => turn(alias, at))).flat();
  await use(works);
  await use(
    ALIASES.slice(1).map((other, at): Work => {
      const command = { type: 'command', id: `merge-${at}`, at: time(0, 0), by: 'bench' } as const;
      return {
        ...{ type: 'command', message: command.id },
        command: { ...command, command: 'merge', reason: 'the same person', keep: ALIASES[0], other },
      };
    }),
  );
  const people = history(table.rows);
  const [owner] = await table.rows.get([identifierKey(ALIASES[0])]);
  const root = owner === undefined ? '' : ownerOf(owner).profileId;
  const whole = await people.customer(root);
  if (whole === undefined || whole.sourceProfiles.length !== ALIASES.length)
    throw new Error('The aliases are not one.');
  const interactions: StoredInteraction[] = [];
  for await (const one of people.timeline(whole, {})) interactions.push(one);
  await messageStatuses(
    table.rows,
    noPause,
    async () => 1000,
  )({ interactions, customers: new Map(), notifications: [] });

  const read = timelines(table.rows, loadHashedKeys);
  const page = async (from?: TimelineCursor): Promise<TimelinePage> => {
    const customer = await people.customer(root);
    if (customer === undefined) throw new Error('The customer is gone.');
    return read.page(customer, {
      ...{ order: 'newest', limit: PAGE, channels: new Set(), kinds: new Set(), folded: true },
      ...(from && { from }),
    });
  };
  table.takeSpent();
  let [shown, requests, last] = [0, 0, await page()];
  const first = table.takeSpent();
  for (shown = last.items.length; last.next !== undefined; shown += last.items.length) {
    last = await page(last.next);
    requests = Math.max(requests, table.takeSpent().requests);
  }
  if (shown !== 2 * TURNS * ALIASES.length) throw new Error(`The pages show ${shown} interactions.`);
  const measured = (name: string, value: number): Measured => ({ name, measured: value, unit: '' });
  return [
    measured(`DynamoDB requests for a timeline page of ${PAGE} across three aliases`, first.requests),
    measured(`DynamoDB read units for a timeline page of ${PAGE} across three aliases`, first.readUnits),
    measured('DynamoDB requests for any later page of it, at most', requests),
  ];
};
