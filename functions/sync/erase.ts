import type { Call, CrmConnector, CrmSession, Removal } from '../../core/crm/connector.ts';
import type { CompiledCase, CompiledMapping } from '../../core/crm/mapping/mapping.ts';
import { HubError } from '../../core/errors.ts';
import type { ErasureParts } from '../aws/erasure/parts.ts';
import type { EraseMessage } from '../contracts/messages/sync.ts';
import { CONTACTS, type CrmOutcome, type ErasedPerson } from '../contracts/rows/erasures.ts';
import type { Unsynced, Waiting } from './ports.ts';

export interface EraseInCrmPorts {
  readonly connector: Pick<CrmConnector, 'id' | 'title' | 'keeps'>;
  readonly open: () => Promise<CrmSession>;
  readonly call: Call;
  /** The name of the hub, with which its keys of contacts begin. */
  readonly hub: string;
  readonly mapping: () => Promise<CompiledMapping>;
  readonly erasures: Pick<ErasureParts, 'person' | 'parts' | 'putOutcome'>;
}

/** Parts that one invocation deletes: they must end before the function times out. */
const PARTS_AT_ONCE = 10;

const nextTime = (): HubError =>
  new HubError('crm-pause', 'Other parts of the erasure are deleted from the CRM first.', {
    retry: { afterSeconds: 1 },
  });

/**
 * Deletes an erased customer's contacts and logged interactions from the CRM by the hub's own keys. A record that does not
 * exist counts as deleted. The receipt lists what the CRM refuses to delete. Returns the messages to queue again.
 */
export const eraseInCrm =
  (ports: EraseInCrmPorts) =>
  async (queued: readonly { readonly id: string; readonly message: EraseMessage }[]): Promise<Unsynced> => {
    // Deleting a contact may delete the records logged with it: those come first, so that they are counted.
    const last = ({ message }: (typeof queued)[number]): number => (message.part === CONTACTS ? 1 : 0);
    const inTurn = queued.toSorted((one, other) => last(one) - last(other));
    const unsynced = new Map<string, Waiting>(
      inTurn.slice(PARTS_AT_ONCE).map(({ id }) => [id, { error: nextTime() }]),
    );
    for (const { id, message } of inTurn.slice(0, PARTS_AT_ONCE)) {
      try {
        await ports.erasures.putOutcome(
          message.erasure,
          ports.connector.id,
          message.part,
          await outcomeOf(ports, message),
        );
      } catch (error) {
        if (!(error instanceof HubError)) throw error;
        unsynced.set(id, { error });
      }
    }
    return unsynced;
  };

/** A guest has a contact of its own as long as it is shown with nobody. */
const contactKeysOf = (person: ErasedPerson | undefined): string[] =>
  person === undefined ? [] : [...person.profileIds, ...person.guests];

const outcomeOf = async (
  { connector, open, call, hub, mapping, erasures }: EraseInCrmPorts,
  { erasure, part }: EraseMessage,
): Promise<CrmOutcome> => {
  const { contact, interactionObjects, cases } = await mapping();
  const isContacts = part === CONTACTS;
  const keys: readonly string[] = isContacts
    ? contactKeysOf(await erasures.person(erasure)).map((id) => `${hub}:${id}`)
    : ((await erasures.parts(erasure, [part])).get(part)?.interactions ?? []);
  const session = await open();
  const wanted = isContacts ? contactObjects(session, contact) : interactionObjects;
  let count = 0;
  const faults = new Map<string, number>();
  for (const { object, key } of wanted) {
    for (const rule of cases)
      if (rule.object === object && !isContacts) await removeMessages(session, rule, keys, call);
    const removals: Removal[] = await session.remove(object, key, keys, call);
    for (const removal of removals) {
      if (!('fault' in removal)) count += removal.found ? 1 : 0;
      else if (removal.fault.retry !== 'never') throw removal.fault;
      else {
        const fault = `${connector.title} refused to delete a ${object} (${removal.fault.code}). Delete it there manually.`;
        faults.set(fault, (faults.get(fault) ?? 0) + 1);
      }
    }
  }
  const refused = [...faults].map(([fault, times]) => (times === 1 ? fault : `${fault} (${times} times)`));
  return { count, left: [...refused, ...(count > 0 ? connector.keeps : [])] };
};

/** Where contacts are, and where the rows are from which an import set has made them. */
const contactObjects = (
  { imports }: CrmSession,
  { object, key, importSet }: CompiledMapping['contact'],
): { readonly object: string; readonly key: string }[] => [
  { object, key },
  ...(imports && importSet !== undefined ? [{ object: importSet, key: imports.columnOf(key) }] : []),
];

/** The messages of cases, where they would stay when their cases are deleted. */
const removeMessages = async (
  session: CrmSession,
  { object, key, messages }: CompiledCase,
  keys: readonly string[],
  call: Call,
): Promise<void> => {
  if (messages === undefined || session.removeChildren === undefined || keys.length === 0) return;
  const found = await session.find(object, { field: key }, keys, [], call);
  const ids = [...found.values()].flat().map(({ id }) => id);
  if (ids.length === 0) return;
  const under = await session.children(messages.object, messages.parent, ids, [], call);
  const children = [...under.values()].flat().map(({ id }) => id);
  if (children.length > 0) await session.removeChildren(messages.object, children, call);
};
