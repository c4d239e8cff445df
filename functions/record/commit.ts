import { HubError } from '../../core/errors.ts';
import { People } from '../../core/identity/people.ts';
import type { IdentityConfig } from '../../core/identity/rules.ts';
import type { BusEvent } from '../contracts/events/build.ts';
import type { Loaded, RecordPorts } from '../contracts/ports/record.ts';
import { idOf, isCompleting, type Work } from '../contracts/work.ts';
import { applyWork, type ChangeSet, emptyChangeSet, isChange } from './change-set.ts';

/** Work per transaction, most of which fits into DynamoDB's 100 items; a command may write many times what an interaction does. */
const PER_TRANSACTION = 15;
const COMMANDS_PER_TRANSACTION = 7;

/** An event on its way to the bus, and the queue messages that must come again if the bus does not take it. */
export interface Outgoing {
  readonly event: BusEvent;
  readonly messages: string[];
}

/** Settles as much of a group as one transaction holds: half as much where a first try shows it to be too large. */
export const commitGroup = async (
  ports: RecordPorts,
  config: IdentityConfig,
  group: readonly Work[],
  loaded: Loaded,
): Promise<{ settled: readonly Outgoing[]; left: readonly Work[] }> => {
  let most = group.some(({ type }) => type === 'command') ? COMMANDS_PER_TRANSACTION : PER_TRANSACTION;
  for (;;) {
    const now = group.slice(0, most);
    const settled = await settle(ports, config, now, loaded);
    if (settled === undefined) return { settled: [], left: group };
    if (settled !== 'too-large') return { settled, left: group.slice(now.length) };
    if (now.length === 1) throw tooLarge();
    most = Math.ceil(now.length / 2);
  }
};

/** Undefined when others changed the same rows and nothing was written. */
const settle = async (
  ports: RecordPorts,
  config: IdentityConfig,
  group: readonly Work[],
  loaded: Loaded,
): Promise<Outgoing[] | 'too-large' | undefined> => {
  const outcome = emptyChangeSet(new People(loaded, config, ports.newId, await ports.silence()));
  const outgoing = takeAll(group, loaded, outcome);
  for (const { work, error } of outcome.refused) await ports.refuse(work.message, error, work.command);
  if (isChange(outcome)) {
    const committed = await ports.commit(outcome);
    if (committed === 'too-large') return committed;
    if (!committed) return undefined;
  }
  for (const interaction of outcome.forgotten) await ports.forget(interaction);
  return outgoing;
};

/** The same work twice is done once, and what it causes is published for both. */
const takeAll = (group: readonly Work[], loaded: Loaded, outcome: ChangeSet): Outgoing[] => {
  const done = new Map<string, Outgoing[]>();
  for (const work of completingFirst(group)) {
    const same = done.get(idOf(work));
    if (same) {
      for (const { messages } of same) messages.push(work.message);
      continue;
    }
    const events = applyWork(work, loaded, outcome);
    done.set(
      idOf(work),
      events.map((event) => ({ event, messages: [work.message] })),
    );
  }
  return [...done.values()].flat();
};

/** Where one interaction comes with its content and without, it is recorded with. */
const completingFirst = (group: readonly Work[]): Work[] => [
  ...group.filter(isCompleting),
  ...group.filter((work) => !isCompleting(work)),
];

const tooLarge = (): HubError =>
  new HubError(
    'too-large',
    'A single act concerns more customers than one transaction of DynamoDB can change. Leave out identifiers, and replay it.',
    { retry: 'never' },
  );
