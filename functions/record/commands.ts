import { reopen, setConsent } from '../../core/consent/customer-consent.ts';
import { HubError } from '../../core/errors.ts';
import { snapshot } from '../../core/identity/customer.ts';
import type { Identifier } from '../../core/identity/identifier.ts';
import type { Introduced } from '../../core/identity/import-customer.ts';
import type { Decision } from '../../core/identity/ledger.ts';
import { mergeByHand } from '../../core/identity/merge.ts';
import type { People } from '../../core/identity/people.ts';
import { normaliseIdentifier } from '../../core/identity/rules.ts';
import { closedByHand, preferring } from '../../core/identity/source-profile.ts';
import { split, unmerge } from '../../core/identity/unmerge.ts';
import {
  type BusEvent,
  consentChanged,
  conversationClosed,
  customerCreated,
  customerImported,
  merged,
  preferenceChanged,
  unmerged,
} from '../contracts/events.ts';
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
      const undone = unmerge(people, ownerOf(people, command.customer), command, command.merge);
      return [undone.survivor, ...undone.others].map((half) => unmerged(people.customer(half), undone));
    }
    case 'split': {
      const identifier = normaliseIdentifier(command.identifier) ?? command.identifier;
      ownerOf(people, identifier);
      const { id, from, to, at } = split(people, identifier, decisionOf(command));
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
      const changes = setConsent(people, half, channel, said, by);
      return changes.length > 0
        ? [consentChanged(snapshot(people.customer(half), half, false), changes, command.at)]
        : [];
    }
    case 'reopen': {
      const address = normaliseIdentifier(command.identifier) ?? command.identifier;
      ownerOf(people, address);
      reopen(people, address, command);
      return [];
    }
    case 'close': {
      const half = ownerOf(people, command.customer);
      people.setActivity(closedByHand(people.half(half).activity, command.at, people.silence));
      return [conversationClosed(snapshot(people.customer(half), half, false), command.by, command.at)];
    }
    case 'preference': {
      const half = ownerOf(people, command.customer);
      people.change(half, (profile) => preferring(profile, command.channel, command.at));
      return [preferenceChanged(snapshot(people.customer(half), half, false), command.at)];
    }
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
export const mergedByHand = (
  people: People,
  keep: string,
  other: string,
  command: CommandMessage,
): BusEvent[] => {
  const merge = mergeByHand(people, keep, other, decisionOf(command));
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
