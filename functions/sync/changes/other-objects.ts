import * as z from 'zod';
import type { CaseState } from '../../../core/crm/cases.ts';
import { type CrmChange, valueDigest } from '../../../core/crm/change.ts';
import type { CrmSession, HeldRecord } from '../../../core/crm/connector.ts';
import type { CompiledCase } from '../../../core/crm/mapping/mapping.ts';
import { referenceTo } from '../../../core/identity/crm/accounts.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { InteractionMessage } from '../../contracts/messages/record.ts';
import { profileIdsOf, type Rules } from '../contacts/subjects.ts';
import type { SyncPorts } from '../ports.ts';

/** What those share who read what a CRM reports. */
export interface Reading {
  readonly ports: SyncPorts;
  readonly session: CrmSession;
  readonly rules: Rules;
}

type OtherPorts = Pick<
  SyncPorts,
  'crm' | 'scope' | 'now' | 'call' | 'links' | 'history' | 'guests' | 'cases' | 'recordInteraction'
>;

/**
 * Records what a CRM reports about records that belong to contacts, such as cases, where the report names no contact: the
 * records are read, one call per object. Those of nobody that the hub knows are ignored, and so is the case of a guest, which
 * is at the contact of a person who may have nothing to do with it.
 */
export const recordOtherChanges = async (
  { ports, session, rules }: Pick<Reading, 'session' | 'rules'> & { readonly ports: OtherPorts },
  changes: readonly CrmChange[],
): Promise<void> => {
  for (const [object, reported] of Map.groupBy(changes, (one) => one.object)) {
    const names = [...new Set(reported.flatMap(({ fields }) => Object.keys(fields)))];
    const records = await session.read(object, [...new Set(reported.map(({ id }) => id))], names, ports.call);
    const contacts = [...records.values()].flatMap(({ contact }) => contact ?? []);
    const owners = await ports.links.owners(contacts);
    const rule = rules.mapping.cases.find((one) => one.object === object);
    const known = rule === undefined ? noCases : await knownCases(ports, [...owners.values()]);
    for (const change of reported) {
      const record = records.get(change.id);
      const isEcho =
        rule !== undefined &&
        record !== undefined &&
        isOwnWrite(rule, change, record, known.own.get(change.id));
      const isNews = !isEcho && !known.ofGuests.has(change.id);
      if (record?.contact !== undefined && owners.has(record.contact) && isNews)
        await ports.recordInteraction(changeMessage(ports, change, record, record.contact));
    }
  }
};

/** What was asked for is the same report as before, as long as the record holds the same. */
const stateOf = (record: HeldRecord, names: readonly string[]): string =>
  names.map((name) => valueDigest(record.fields[name])).join(':');

/** The cases that the hub made, by the CRM's ids: those of customers, and those of guests who are shown with them. */
interface KnownCases {
  readonly own: ReadonlyMap<string, CaseState>;
  readonly ofGuests: ReadonlyMap<string, CaseState>;
}

const noCases: KnownCases = { own: new Map(), ofGuests: new Map() };

const knownCases = async (
  { history, guests, cases }: Pick<OtherPorts, 'history' | 'guests' | 'cases'>,
  profileIds: readonly string[],
): Promise<KnownCases> => {
  const customers = [...(await history.customers([...new Set(profileIds)])).values()];
  const shown = (await Promise.all(customers.map((one) => guests.guestsOf(one)))).flat();
  const casesOf = async (some: readonly Customer[]): Promise<ReadonlyMap<string, CaseState>> => {
    const rows = await cases.load([...new Set(some.flatMap(profileIdsOf))]);
    const states = [...rows.values()].flatMap((row) => row.cases);
    return new Map(states.flatMap((one) => (one.record === undefined ? [] : [[one.record, one] as const])));
  };
  const [own, ofGuests] = await Promise.all([casesOf(customers), casesOf(shown)]);
  return { own, ofGuests };
};

/** CRMs report the fields of a new record, with their own defaults, some seconds after it. */
const CREATION_MS = 5000;

/**
 * Whether a report about a case that the hub made tells what the hub wrote: the case itself, and that it is closed. A field that
 * the hub wrote is recognised by its value; of any other, what is reported at the creation is the CRM's default.
 */
const isOwnWrite = (
  { key, closed }: CompiledCase,
  { act, at, asked, fields }: CrmChange,
  record: HeldRecord,
  state: CaseState | undefined,
): boolean => {
  if (state === undefined) return false;
  if (act === 'created') return true;
  const isOfCreation = at !== undefined && Date.parse(at) - Date.parse(record.createdAt) <= CREATION_MS;
  return Object.entries(fields).every(([name, digest]) => {
    const reported = asked ? valueDigest(record.fields[name]) : digest;
    const written = state.written?.[name];
    if (name === key || written === reported || (written === undefined && isOfCreation)) return true;
    if (name !== closed?.field) return false;
    const isClosed = closed.values.some((value) => String(value) === String(record.fields[name] ?? ''));
    return isClosed && state.closedAt !== undefined;
  });
};

const changeMessage = (
  { crm, scope, now }: Pick<SyncPorts, 'crm' | 'scope' | 'now'>,
  { object, id, act, at = instant(now()), fields, asked }: CrmChange,
  record: HeldRecord,
  contact: string,
): InteractionMessage => ({
  type: 'interaction',
  receivedAt: instant(now()),
  interaction: {
    key: `${object}:${id}:${act}:${asked ? stateOf(record, Object.keys(fields)) : at}`,
    ...{ kind: 'crm-record', channel: 'crm', provider: crm },
    ...{ direction: 'system', externalId: id, occurredAt: at, identifiers: [referenceTo(scope, contact)] },
    properties: {
      ...{ record: object, act },
      set: Object.fromEntries(
        Object.keys(fields).map((name) => [
          name,
          z
            .json()
            .catch(null)
            .parse(record.fields[name] ?? null),
        ]),
      ),
    },
  },
});
