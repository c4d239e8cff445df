import type { Customer } from '../../../core/identity/customer.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import { normaliseIdentifier } from '../../../core/identity/normalise.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import { type RetainedRefusal, retainedRefusals } from '../../../core/privacy/erasure.ts';
import { type Mask, maskOf } from '../../../core/privacy/masking.ts';
import {
  activityKey,
  addressClaimKey,
  addressLimitsKey,
  claimPartition,
  claimPrefix,
  guestKey,
  identifierKey,
  listedKey,
  profileKey,
  profilePartition,
  sortKeyPrefix,
} from '../../contracts/keys.ts';
import type { ErasedPerson } from '../../contracts/rows/erasures.ts';
import { interactionOf } from '../../contracts/rows/interactions.ts';
import { addressClaimOf, claimOf, erasedOf } from '../../contracts/rows/people.ts';
import type { Row } from '../../contracts/rows/row.ts';
import { notificationOf } from '../../contracts/rows/triggers.ts';
import type { Table, Write } from '../clients/dynamo.ts';
import { history } from '../customers/history.ts';
import { unlist } from '../customers/lists/lists.ts';
import { type Claims, claims } from './claims.ts';
import { busyTable, type ErasePorts } from './parts.ts';

/**
 * One day longer than a queue or a dead-letter queue stores a message: what was queued for the person before the erasure is
 * dropped when it arrives.
 */
const QUEUED_SECONDS = 15 * 86_400;
/** A guest who is written to at the same time is tried again. */
const ATTEMPTS = 10;

/** An erasure at work on guests. */
interface GuestErasure {
  readonly ports: ErasePorts;
  readonly claims: Claims;
  readonly erasure: string;
  /** The person who asks; absent where nobody owns the identifier that asks. */
  readonly owner: Customer | undefined;
  /** The identifiers that are erased. */
  readonly identifiers: ReadonlySet<Identifier>;
  /** Removes all rows of a source profile but those by which it is found; false where the time was over first. */
  readonly removeRowsOf: (profileId: string) => Promise<boolean>;
  readonly timeLeft: () => boolean;
  /** What is stored with the erasure so far. */
  person: ErasedPerson;
}

/**
 * Erases the guests that go with a person, and takes the person's identifiers from the others that claim them: from their
 * profiles, claims and stored interactions. Where nobody owns the identifier that asks, its own guest is erased, unless
 * that claims what a person owns. Resolves to what is stored with the erasure then. Every step may be repeated.
 */
export const eraseGuests = async (
  work: Omit<GuestErasure, 'claims' | 'identifiers'>,
): Promise<{ readonly person: ErasedPerson; readonly finished: boolean }> => {
  const { table } = work.ports;
  const now: GuestErasure = {
    ...work,
    claims: claims(table),
    identifiers: new Set(work.person.identifiers),
  };
  const finished = await handleAll(now);
  return { person: now.person, finished };
};

const handleAll = async (work: GuestErasure): Promise<boolean> => {
  const { table } = work.ports;
  // Guests whose erasure was interrupted may have no claim left by which they would be found.
  for (const guest of work.person.guests) if (!(await eraseGuest(work, guest))) return false;
  for (const identifier of work.identifiers) {
    const own = await work.claims.guestOf(identifier);
    if (own !== undefined) {
      if (!(await handleGuest(work, own, own))) return false;
      await write(table, [{ delete: guestKey(identifier) }]);
    }
    for await (const { pk, sk, ...row } of table.query(claimPartition(identifier), {
      beginsWith: claimPrefix,
    })) {
      if (!(await handleGuest(work, claimOf({ pk, sk, ...row }).profileId, own))) return false;
      await write(table, [{ delete: { pk, sk } }]);
    }
  }
  return true;
};

/** `own`: the guest that the identifier has. False where the time was over first. */
const handleGuest = async (work: GuestErasure, id: string, own: string | undefined): Promise<boolean> => {
  const guest = await history(work.ports.table).customer(id);
  if (guest?.guest !== true) return true;
  const goes = work.owner
    ? await work.claims.goesWith(guest, work.owner)
    : id === own && (await work.claims.ownersOf(guest)).size === 0;
  const done = goes ? await eraseGuest(work, id) : await stripGuest(work, guest);
  return done && work.timeLeft();
};

const remember = async (work: GuestErasure, change: Partial<ErasedPerson>): Promise<void> => {
  work.person = { ...work.person, ...change };
  await work.ports.erasures.putPerson(work.erasure, work.person);
};

const eraseGuest = async (work: GuestErasure, id: string): Promise<boolean> => {
  const { table, runtime } = work.ports;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [guest] = (await history(table).customer(id))?.sourceProfiles ?? [];
    if (guest === undefined) return true;
    const { profile, activity } = guest;
    if (!work.person.guests.includes(id)) await remember(work, { guests: [...work.person.guests, id] });
    if (!(await work.removeRowsOf(id))) return false;
    await unlist(table, runtime, id);
    for (const identifier of profile.claimed)
      if (!work.identifiers.has(identifier)) await releaseClaim(work, identifier, id);
    const removed = await table.transact([
      { delete: profileKey(id), if: { version: profile.version } },
      { delete: activityKey(id), if: { version: activity.version } },
      { check: listedKey(id), if: { absent: true } },
    ]);
    if (removed) return true;
  }
  throw busyTable();
};

/** Removes the claim of a guest that is erased; where nobody else claims the identifier, everything that is known of it. */
const releaseClaim = async (work: GuestErasure, identifier: Identifier, id: string): Promise<void> => {
  const { table } = work.ports;
  const isGuest = (await work.claims.guestOf(identifier)) === id;
  let [mine, other]: (Row | undefined)[] = [];
  for await (const row of table.query(claimPartition(identifier), { beginsWith: claimPrefix })) {
    if (claimOf(row).profileId === id) mine ??= row;
    else other ??= row;
    if (mine && other) break;
  }
  const writes: Write[] = mine ? [{ delete: { pk: mine.pk, sk: mine.sk } }] : [];
  if (isGuest && other) {
    writes.push({ put: { ...guestKey(identifier), identifier, profileId: claimOf(other).profileId } });
    writes.push({ delete: { pk: other.pk, sk: other.sk } });
  }
  const [owner] = await table.get([identifierKey(identifier)]);
  if (other === undefined && owner === undefined) {
    const { guestIdentifiers } = work.person;
    if (!guestIdentifiers.includes(identifier))
      await remember(work, { guestIdentifiers: [...guestIdentifiers, identifier] });
    if (isGuest) writes.push({ delete: guestKey(identifier) });
    writes.push(...(await forgetAddress(work.ports, identifier)));
  }
  await write(table, writes);
};

/**
 * Removes what claims said about an address that nobody owns any more. Under a hash stays that it was erased, so that what
 * was queued before is dropped, and what its users had refused. `owner`: whom it belonged to.
 */
export const forgetAddress = async (
  { table, loadHashedKeys, runtime: { now } }: Pick<ErasePorts, 'table' | 'loadHashedKeys' | 'runtime'>,
  identifier: Identifier,
  owner?: Customer,
): Promise<Write[]> => {
  const erasedKey = (await loadHashedKeys()).erasedKey(identifier);
  const found = await table.get([addressClaimKey(identifier, 'mute'), erasedKey]);
  const mute = found.find(({ pk }) => pk !== erasedKey.pk);
  const erased = found.find(({ pk }) => pk === erasedKey.pk);
  const muted = mute && mutedOf(mute);
  const isAnswered = muted !== undefined && (owner?.consent[muted.channel]?.at ?? '') >= muted.at;
  // An owner knew of what an earlier erasure had retained, and may have decided otherwise since.
  const refusal = owner
    ? retainedRefusals(owner).get(identifier)
    : erased && erasedOf(erased).retainedRefusal;
  const retainedRefusal = muted === undefined || isAnswered ? refusal : { ...refusal, muted };
  const until = retainedRefusal
    ? { retainedRefusal }
    : { expiresAt: Math.floor(now() / 1000) + QUEUED_SECONDS };
  return [
    { put: { ...erasedKey, at: instant(now()), ...until } },
    { delete: addressClaimKey(identifier, 'mute') },
    { delete: addressClaimKey(identifier, 'opt-in') },
    { delete: addressLimitsKey(identifier) },
  ];
};

const mutedOf = (row: Row): NonNullable<RetainedRefusal['muted']> => {
  const { channel, at } = addressClaimOf(row);
  return { channel, at };
};

/** Takes the erased identifiers from a guest that keeps the rest. */
const stripGuest = async (work: GuestErasure, guest: Customer): Promise<boolean> => {
  const { table } = work.ports;
  const [profile] = guest.sourceProfiles.map((one) => one.profile);
  if (profile === undefined) return true;
  if (!work.person.others.includes(guest.id))
    await remember(work, { others: [...work.person.others, guest.id] });
  const mask = maskOf(work.identifiers);
  const isLost = (identifier: string): boolean =>
    work.identifiers.has(normaliseIdentifier(identifier) ?? identifier) || mask(identifier) !== identifier;
  for await (const row of table.query(profilePartition(guest.id), {
    beginsWith: sortKeyPrefix.interaction,
  })) {
    const writes = maskedInteraction(row, mask, isLost);
    if (writes.length > 0) await write(table, [...writes, strippedPart(work, row)]);
    if (!work.timeLeft()) return false;
  }
  for await (const row of table.query(profilePartition(guest.id), { beginsWith: sortKeyPrefix.notification }))
    await write(table, maskedNotification(row, isLost));
  const { id, version, claimed, closed, ...rest } = profile;
  const stripped = {
    ...mask(rest),
    ...{ id, version: version + 1, claimed: claimed.filter((one) => !isLost(one)) },
    closed: Object.fromEntries(Object.entries(closed).filter(([one]) => !isLost(one))),
  };
  await write(table, [{ put: { ...profileKey(id), ...stripped }, if: { version } }]);
  return true;
};

/** CRMs have logged the interaction as it was: their records of it are deleted, and raw deliveries of it. */
const strippedPart = ({ ports, erasure }: GuestErasure, row: Row): Write => {
  const { id, profileId, externalId } = interactionOf(row);
  const externalIds = externalId === undefined ? [] : [externalId];
  return ports.erasures.partWrite(erasure, `${profileId}#${row.sk}`, {
    interactions: [id],
    externalIds,
    files: [],
  });
};

/** Fields of an interaction that hold what people wrote; the others are ids, times and names of systems. */
const textFields = ['text', 'subject', 'properties', 'profile', 'attachments', 'customer'] as const;

const maskedInteraction = (row: Row, mask: Mask, isLost: (identifier: string) => boolean): Write[] => {
  const { pk, sk } = row;
  const interaction = interactionOf(row);
  const { identifiers, claimed } = interaction;
  const values = {
    identifiers: identifiers.filter((one) => !isLost(one)),
    ...(claimed && { claimed: claimed.filter((one) => !isLost(one)) }),
    ...Object.fromEntries(
      textFields.flatMap((field) =>
        interaction[field] === undefined ? [] : [[field, mask(interaction[field])]],
      ),
    ),
  };
  const isChanged = Object.entries(values).some(
    ([field, value]) => JSON.stringify(value) !== JSON.stringify(row[field]),
  );
  return isChanged ? [{ set: { pk, sk }, values, if: { exists: true } }] : [];
};

const maskedNotification = (row: Row, isLost: (identifier: string) => boolean): Write[] => {
  const { pk, sk } = row;
  const { addresses = [], externalIds = {}, version } = notificationOf(row);
  if (![...addresses, ...Object.keys(externalIds)].some(isLost)) return [];
  const values = {
    addresses: addresses.filter((one) => !isLost(one)),
    externalIds: Object.fromEntries(Object.entries(externalIds).filter(([one]) => !isLost(one))),
    version: version + 1,
  };
  return [{ set: { pk, sk }, values, if: { version } }];
};

/** Rejects with `HubError` `busy-table` where a row changed since it was read: the erasure is repeated. */
const write = async (table: Table, writes: readonly Write[]): Promise<void> => {
  if (writes.length > 0 && !(await table.transact(writes))) throw busyTable();
};
