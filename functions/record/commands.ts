import { snapshot } from '../../core/customer.ts';
import { HubError } from '../../core/errors.ts';
import type { Identifier } from '../../core/identifier.ts';
import { normaliseIdentifier } from '../../core/identity.ts';
import type { Decision, Introduced, People } from '../../core/people.ts';
import {
  type BusEvent,
  consentChanged,
  conversationClosed,
  customerCreated,
  customerImported,
  merged,
  unmerged,
} from './events.ts';
import type { CommandMessage } from './message.ts';

/** Does what a command asks for; the events that tell of it. */
export const execute = (
  people: People,
  command: Exclude<CommandMessage, { command: 'resolve' | 'import' }>,
): readonly BusEvent[] => {
  switch (command.command) {
    case 'merge':
      return mergeByHand(people, ownerOf(people, command.keep), ownerOf(people, command.other), command);
    case 'unmerge': {
      const undone = people.unmerge(ownerOf(people, command.customer), command, command.merge);
      return [undone.survivor, ...undone.others].map((half) => unmerged(people.customer(half), undone));
    }
    case 'split': {
      const identifier = normaliseIdentifier(command.identifier) ?? command.identifier;
      ownerOf(people, identifier);
      const { id, from, to, at } = people.split(identifier, decisionOf(command));
      const parted = { merge: id, survivor: from, others: [to], at };
      return [
        customerCreated(snapshot(people.customer(to), to, true), at),
        unmerged(people.customer(from), parted),
      ];
    }
    case 'consent': {
      const half = ownerOf(people, command.customer);
      const { channel, status: answer, at, id: source, evidence, by } = command;
      const said = { answer, at, source, ...(evidence !== undefined && { evidence }) };
      const changes = people.setConsent(half, channel, said, by);
      return changes.length > 0
        ? [consentChanged(snapshot(people.customer(half), half, false), changes, command.at)]
        : [];
    }
    case 'reopen': {
      const address = normaliseIdentifier(command.identifier) ?? command.identifier;
      ownerOf(people, address);
      people.reopen(address, command);
      return [];
    }
    case 'close': {
      const half = ownerOf(people, command.customer);
      people.closeConversation(half, command.at);
      return [conversationClosed(snapshot(people.customer(half), half, false), command.by, command.at)];
    }
    case 'preference':
      people.setPreference(ownerOf(people, command.customer), command.channel, command.at);
      return [];
  }
};

/** The events of an import; nothing where the customer is gone since, or is not the one that these identifiers lead to any more. */
export const introducedEvents = (
  people: People,
  { half, isNew, merge, consent }: Introduced,
  command: CommandMessage,
): BusEvent[] => {
  if (!people.has(half)) return [];
  const customer = people.customer(half);
  const told = snapshot(customer, half, isNew);
  return [
    ...(isNew ? [customerCreated(told, command.at)] : []),
    ...(merge ? [merged(customer, merge, command.at)] : []),
    ...(!isNew && consent.length > 0 ? [consentChanged(told, consent, command.at)] : []),
    ...(command.command === 'import' && command.toCrms ? [customerImported(told, command.at)] : []),
  ];
};

/** One customer of two; no event where they are one already. */
export const mergeByHand = (
  people: People,
  keep: string,
  other: string,
  command: CommandMessage,
): BusEvent[] => {
  const merge = people.mergeByHand(keep, other, decisionOf(command));
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
