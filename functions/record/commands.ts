import { reopen, setConsent } from '../../core/consent/customer-consent.ts';
import { HubError } from '../../core/errors.ts';
import { snapshot } from '../../core/identity/customer.ts';
import type { Identifier } from '../../core/identity/identifier.ts';
import type { ImportedCustomer } from '../../core/identity/import-customer.ts';
import type { Decision } from '../../core/identity/ledger.ts';
import { mergeManually } from '../../core/identity/merge.ts';
import type { People } from '../../core/identity/people.ts';
import { normaliseIdentifier } from '../../core/identity/rules.ts';
import { applyPreference, closeConversation } from '../../core/identity/source-profile.ts';
import { splitIdentifier, unmergeCustomer } from '../../core/identity/unmerge.ts';
import {
  type BusEvent,
  consentChanged,
  conversationClosed,
  customerCreated,
  customerImported,
  merged,
  preferenceChanged,
  unmerged,
} from '../contracts/events/build.ts';
import type { CommandMessage } from '../contracts/messages/record.ts';

/** Does what a command asks for; the events that tell of it. */
export const execute = (
  people: People,
  command: Exclude<CommandMessage, { command: 'resolve' | 'import' }>,
): readonly BusEvent[] => {
  switch (command.command) {
    case 'merge':
      return mergedByHand(people, ownerOf(people, command.keep), ownerOf(people, command.other), command);
    case 'unmerge': {
      const undone = unmergeCustomer(people, ownerOf(people, command.customer), command, command.merge);
      return [undone.survivor, ...undone.others].map((profileId) =>
        unmerged(people.customer(profileId), undone),
      );
    }
    case 'split': {
      const identifier = normaliseIdentifier(command.identifier) ?? command.identifier;
      ownerOf(people, identifier);
      const { id, from, to, at } = splitIdentifier(people, identifier, decisionOf(command));
      const parted = { merge: id, survivor: from, others: [to], at };
      return [
        customerCreated(snapshot(people.customer(to), to, true), at),
        unmerged(people.customer(from), parted),
      ];
    }
    case 'consent': {
      const profileId = ownerOf(people, command.customer);
      const { channel, status: answer, at, id: source, evidence, by } = command;
      const said = { answer, at, source, ...(evidence !== undefined && { evidence }) };
      const changes = setConsent(people, profileId, channel, said, by);
      return changes.length > 0
        ? [consentChanged(snapshot(people.customer(profileId), profileId, false), changes, command.at)]
        : [];
    }
    case 'reopen': {
      const address = normaliseIdentifier(command.identifier) ?? command.identifier;
      ownerOf(people, address);
      reopen(people, address, command);
      return [];
    }
    case 'close': {
      const profileId = ownerOf(people, command.customer);
      people.setActivity(
        closeConversation(people.sourceProfile(profileId).activity, command.at, people.silence),
      );
      return [
        conversationClosed(snapshot(people.customer(profileId), profileId, false), command.by, command.at),
      ];
    }
    case 'preference': {
      const profileId = ownerOf(people, command.customer);
      people.change(profileId, (profile) => applyPreference(profile, command.channel, command.at));
      return [preferenceChanged(snapshot(people.customer(profileId), profileId, false), command.at)];
    }
  }
};

/** The events of an import; nothing where the customer is gone since, or is not the one that these identifiers lead to any more. */
export const importedEvents = (
  people: People,
  { profileId, isNew, merge, consent }: ImportedCustomer,
  command: CommandMessage,
): BusEvent[] => {
  if (!people.has(profileId)) return [];
  const customer = people.customer(profileId);
  const told = snapshot(customer, profileId, isNew);
  return [
    ...(isNew ? [customerCreated(told, command.at)] : []),
    ...(merge ? [merged(customer, merge, command.at)] : []),
    ...(!isNew && consent.length > 0 ? [consentChanged(told, consent, command.at)] : []),
    ...(command.command === 'import' && command.toCrms ? [customerImported(told, command.at)] : []),
  ];
};

/** One customer of two; no event where they are one already. */
export const mergedByHand = (
  people: People,
  keep: string,
  other: string,
  command: CommandMessage,
): BusEvent[] => {
  const merge = mergeManually(people, keep, other, decisionOf(command));
  return merge ? [merged(people.customer(merge.survivor), merge, command.at)] : [];
};

const decisionOf = ({ at, by, id }: CommandMessage): Decision => ({ at, by, cause: id });

export const ownerOf = (people: People, identifier: Identifier): string => {
  const owner = people.owner(normaliseIdentifier(identifier) ?? identifier);
  if (owner !== undefined) return owner;
  throw new HubError(
    'unknown-customer',
    'No customer holds the identifier that the command names. Look the customer up first: it may be written differently.',
    { retry: 'never' },
  );
};
