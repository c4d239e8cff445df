import { reopenAddress, setConsent } from '../../core/consent/customer-consent.ts';
import { HubError } from '../../core/errors.ts';
import { expectFittingDecision, survivorNotInReview } from '../../core/identity/decisions/review-decision.ts';
import { markDistinct } from '../../core/identity/decisions/review-queue.ts';
import { splitIdentifier, unmergeCustomer } from '../../core/identity/decisions/unmerge.ts';
import type { Identifier } from '../../core/identity/identifier.ts';
import { isCrmReference } from '../../core/identity/identity-config.ts';
import { type ImportedCustomer, importCustomer } from '../../core/identity/import-customer.ts';
import type { ManualDecision, Review } from '../../core/identity/ledger.ts';
import { mergeManually } from '../../core/identity/merge.ts';
import { normaliseIdentifier } from '../../core/identity/normalise.ts';
import type { People } from '../../core/identity/people.ts';
import { confirmIdentifier, isConfirmed, splitClaim } from '../../core/identity/proof/confirm.ts';
import { assignInteraction } from '../../core/identity/resolution.ts';
import { applyPreference, closeConversation } from '../../core/identity/source-profile.ts';
import { snapshotCustomer } from '../../core/interaction/customer-snapshot.ts';
import {
  causedBy,
  consentChanged,
  conversationClosed,
  crmDecided,
  customerConfirmed,
  customerCreated,
  customerImported,
  interactionEvents,
  merged,
  preferenceChanged,
  unmerged,
} from '../contracts/events/build.ts';
import type { BusEvent } from '../contracts/events/catalogue.ts';
import type { CommandMessage } from '../contracts/messages/record.ts';
import { type ExecutedCommand, type Loaded, storedChange } from '../contracts/ports/record.ts';

/**
 * Executes a command on the customers in memory. Throws `HubError` (never) where the command cannot be executed:
 * `unknown-customer`, `unknown-review`, `invalid-decision`, or what the rule of `core/identity` throws.
 */
export const executeCommand = (
  people: People,
  command: CommandMessage,
  reviews: Loaded['reviews'],
): ExecutedCommand => {
  if (command.command === 'resolve') return resolveReview(people, command, reviews.get(command.review));
  if (command.command !== 'import') return { command, events: changeCustomer(people, command) };
  const imported = importCustomer(people, command);
  return { command, imported, events: importEvents(people, imported, command) };
};

const changeCustomer = (
  people: People,
  command: Exclude<CommandMessage, { command: 'resolve' | 'import' }>,
): readonly BusEvent[] => {
  switch (command.command) {
    case 'merge':
      return mergeByCommand(people, ownerOf(people, command.keep), ownerOf(people, command.other), command);
    case 'unmerge': {
      const undone = unmergeCustomer(people, ownerOf(people, command.customer), command, command.merge);
      return [undone.survivor, ...undone.others].map((profileId) =>
        unmerged(people.customer(profileId), undone),
      );
    }
    case 'confirm': {
      const identifier = normaliseIdentifier(command.identifier) ?? command.identifier;
      expectOwnable(people, identifier);
      const profileId = ownerOf(people, command.customer);
      const { profileId: root, at } = confirmIdentifier(people, profileId, identifier, decisionOf(command));
      return [customerConfirmed(snapshotCustomer(people.customer(root), root, false), identifier, at)];
    }
    case 'split': {
      const identifier = normaliseIdentifier(command.identifier) ?? command.identifier;
      if (people.owner(identifier) === undefined || isConfirmed(people, identifier))
        return splitByClaim(people, identifier, command);
      expectOwnable(people, identifier);
      const { id, from, to, at } = splitIdentifier(people, identifier, decisionOf(command));
      const undone = { merge: id, survivor: from, others: [to], at };
      return [
        customerCreated(snapshotCustomer(people.customer(to), to, true), at),
        unmerged(people.customer(from), undone),
      ];
    }
    case 'consent': {
      const profileId = ownerOf(people, command.customer);
      const { channel, status: answer, at, id: source, evidence, by } = command;
      const given = { answer, at, source, ...(evidence !== undefined && { evidence }) };
      const changes = setConsent(people, profileId, channel, given, by);
      return changes.length > 0
        ? [
            consentChanged(
              snapshotCustomer(people.customer(profileId), profileId, false),
              changes,
              command.at,
            ),
          ]
        : [];
    }
    case 'reopen': {
      const address = normaliseIdentifier(command.identifier) ?? command.identifier;
      ownerOf(people, address);
      reopenAddress(people, address, command);
      return [];
    }
    case 'close': {
      const profileId = ownerOf(people, command.customer);
      people.setActivity(
        closeConversation(people.sourceProfile(profileId).activity, command.at, people.silence),
      );
      return [
        conversationClosed(
          snapshotCustomer(people.customer(profileId), profileId, false),
          command.by,
          command.at,
        ),
      ];
    }
    case 'preference': {
      const profileId = ownerOf(people, command.customer);
      people.updateProfile(profileId, (profile) => applyPreference(profile, command.channel, command.at));
      return [preferenceChanged(snapshotCustomer(people.customer(profileId), profileId, false), command.at)];
    }
  }
};

/** Throws `HubError` `crm-reference` for the id of a CRM's record, which no customer has as an identifier. */
const expectOwnable = (people: People, identifier: Identifier): void => {
  if (!isCrmReference(people.config, identifier)) return;
  throw new HubError(
    'crm-reference',
    'This is the id of a record in a CRM. It links a customer to the record and is no identifier, so it can be neither confirmed nor split off. Change or delete the record in the CRM.',
    { retry: 'never' },
  );
};

/** Shows the guests of a claimed identifier apart from the person beside whom they are shown. */
const splitByClaim = (
  people: People,
  identifier: Identifier,
  command: Extract<CommandMessage, { command: 'split' }>,
): BusEvent[] => {
  const profileId = ownerOf(people, command.customer ?? identifier);
  const splits = splitClaim(people, profileId, identifier, decisionOf(command));
  const person = people.customer(profileId);
  const undone = { survivor: person.id, others: splits.map(({ to }) => to), at: command.at };
  return [unmerged(person, { merge: command.id, ...undone })];
};

/** The events of an imported row; none where its customer was erased, or its identifiers belong to another one by now. */
export const importEvents = (
  people: People,
  { profileId, isNew, merge, consent }: ImportedCustomer,
  command: CommandMessage,
): BusEvent[] => {
  if (!people.has(profileId)) return [];
  const customer = people.customer(profileId);
  const profile = snapshotCustomer(customer, profileId, isNew);
  return [
    ...(isNew ? [customerCreated(profile, command.at)] : []),
    ...(merge ? [merged(customer, merge, command.at)] : []),
    ...(!isNew && consent.length > 0 ? [consentChanged(profile, consent, command.at)] : []),
    ...(command.command === 'import' && command.toCrms ? [customerImported(profile, command.at)] : []),
    ...(command.command === 'import' && command.adoptedFrom !== undefined
      ? [customerImported({ ...profile, isNew: false }, command.at, command.adoptedFrom)]
      : []),
  ];
};

/** Merges two customers; no event where they are one already. */
const mergeByCommand = (people: People, keep: string, other: string, command: CommandMessage): BusEvent[] => {
  const merge = mergeManually(people, keep, other, decisionOf(command));
  return merge ? [merged(people.customer(merge.survivor), merge, command.at)] : [];
};

/** Who decided it, and when: for the identity ledger. */
const decisionOf = (command: CommandMessage): ManualDecision => {
  const { at, by, id } = command;
  if (command.command === 'merge') return { at, by, cause: id, reason: command.reason };
  if (command.command !== 'resolve') return { at, by, cause: id };
  return { at, by, cause: id, reason: command.reason ?? 'Resolved the review of the pair.' };
};

const ownerOf = (people: People, identifier: Identifier): string => {
  const owner = people.owner(normaliseIdentifier(identifier) ?? identifier);
  if (owner !== undefined) return owner;
  throw new HubError(
    'unknown-customer',
    'No customer owns the identifier that the command names. Look the customer up first: the identifier may be written differently.',
    { retry: 'never' },
  );
};

/** A decision on an open review. */
const resolveReview = (
  people: People,
  command: Extract<CommandMessage, { command: 'resolve' }>,
  review: Review | undefined,
): ExecutedCommand => {
  const { decision } = command;
  const named = command.customer === undefined ? undefined : ownerOf(people, command.customer);
  if (review === undefined) {
    throw new HubError(
      'unknown-review',
      'There is no open review with this id: it was resolved already, or its customers were merged or erased since.',
      { retry: 'never' },
    );
  }
  expectFittingDecision(review, command);
  switch (review.type) {
    case 'pair':
      return { command, events: decidePair(people, review.profileIds, named, command) };
    case 'record': {
      const { crm, profileId } = review;
      const record = decision === 'record' ? command.record : undefined;
      const decided = { profileId, ...(record !== undefined && { record }) };
      return { command, events: [crmDecided(crm, decided, command.at)] };
    }
    case 'request':
      return { command, events: [] };
    case 'interaction': {
      if (decision === 'dismiss') return { command, events: [] };
      const placement = assignInteraction(people, review, decision === 'new' ? undefined : named);
      const placed = storedChange(people, review, placement);
      if (placed === undefined) throw notPlaced();
      return { command, events: interactionEvents(placed.stored, causedBy(placement)), placed };
    }
  }
};

const decidePair = (
  people: People,
  [one, other]: readonly [string, string],
  named: string | undefined,
  command: Extract<CommandMessage, { command: 'resolve' }>,
): BusEvent[] => {
  if (command.decision === 'distinct') {
    markDistinct(people, one, other);
    return [];
  }
  const first = people.customer(one).firstSeenAt <= people.customer(other).firstSeenAt ? one : other;
  const survivor = named === undefined ? first : people.customer(named).id;
  const keep = [one, other].find(
    (profileId) => people.customer(profileId).id === people.customer(survivor).id,
  );
  if (keep === undefined) throw survivorNotInReview();
  return mergeByCommand(people, keep, keep === one ? other : one, command);
};

const notPlaced = (): HubError =>
  new HubError('invalid-decision', 'The interaction names a message that the hub ignores: dismiss it.', {
    retry: 'never',
  });
