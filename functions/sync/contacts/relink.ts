import type { SyncMessage } from '../../contracts/messages/sync.ts';
import type { SyncPorts, Waiting } from '../ports.ts';
import type { Subject } from './subjects.ts';
import { beingWritten } from './write.ts';

/**
 * Customers whose contact was deleted get one again where an import names them, or where the CRM has reported another record
 * of theirs. Returns the subjects as they are then; those that another worker changes are in `waiting`, by customer.
 */
export const relink = async (
  ports: Pick<SyncPorts, 'crm' | 'title' | 'links' | 'history'>,
  messages: readonly SyncMessage[],
  subjects: readonly Subject[],
): Promise<{ readonly subjects: readonly Subject[]; readonly waiting: ReadonlyMap<string, Waiting> }> => {
  const waiting = new Map<string, Waiting>();
  const next: Subject[] = [];
  for (const subject of subjects) {
    const again =
      subject.state.goneAt === undefined ? undefined : await contactAgain(ports, messages, subject);
    if (again === undefined) {
      next.push(subject);
      continue;
    }
    const { customer, profileId, state } = subject;
    const { goneAt: _, record: __, ...rest } = state;
    const linked = { ...rest, ...again, fields: {} };
    if (await ports.links.save(profileId, linked, again.record))
      next.push({ ...subject, state: { ...linked, version: state.version + 1 } });
    else waiting.set(customer.id, { error: beingWritten(ports) });
  }
  return { subjects: next, waiting };
};

/** The record that takes the place of the deleted one, or that any may; undefined where the contact stays deleted. */
const contactAgain = async (
  { crm, links, history }: Pick<SyncPorts, 'crm' | 'links' | 'history'>,
  messages: readonly SyncMessage[],
  { customer, state }: Subject,
): Promise<{ readonly record?: string } | undefined> => {
  const own = new Set(customer.sourceProfiles.map(({ profile }) => profile.id));
  const concerned = messages.filter(({ profileId }) => own.has(profileId));
  const addresses = concerned.flatMap(({ profileId, interaction: id, occurredAt }) =>
    id === undefined || occurredAt === undefined ? [] : [{ profileId, id, occurredAt }],
  );
  const reported = addresses.length === 0 ? [] : await history.interactions(addresses);
  const records = reported.flatMap(({ kind, provider, externalId }) =>
    kind === 'crm-record' && provider === crm && externalId !== undefined && externalId !== state.record
      ? [externalId]
      : [],
  );
  const owners = await links.owners(records);
  const record = records.find((one) => own.has(owners.get(one) ?? ''));
  if (record !== undefined) return { record };
  return concerned.some(({ imported }) => imported === true) ? {} : undefined;
};
