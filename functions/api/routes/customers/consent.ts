import { addressesOf, isMuted } from '../../../../core/consent/consent.ts';
import { evidenceOf, type RecordedAnswer } from '../../../../core/consent/evidence.ts';
import type { Customer } from '../../../../core/identity/customer.ts';
import type { Identifier } from '../../../../core/identity/identifier.ts';
import type { ClosedAddress } from '../../../../core/identity/profile.ts';
import { Channel } from '../../../../core/interaction/interaction.ts';
import type { Addressees } from '../../../contracts/ports/addresses.ts';
import type { History, StoredInteraction } from '../../../contracts/ports/history.ts';
import { json, type Routes, withCustomer } from '../route.ts';

export interface ConsentPorts {
  readonly history: History;
  readonly addressees: Pick<Addressees, 'claims'>;
  /** An interaction by its id, whichever customer it belongs to. */
  readonly interaction: (id: string) => Promise<StoredInteraction | undefined>;
}

/** The consent of each channel and address with its evidence, and every answer that was ever given. */
export const consentRoutes: Routes<ConsentPorts> = {
  'GET /customers/{id}/consent': withCustomer(async (customer, _event, ports) => {
    const answers = await ports.history.answers(customer);
    const channels = Channel.options.filter((channel) => customer.consent[channel] !== undefined);
    return json(200, {
      customer: customer.id,
      channels: channels.map((channel) => channelView(customer, channel, answers)),
      closed: await Promise.all(
        Object.entries(customer.closed).map(([address, entry]) => closedView(address, entry, ports)),
      ),
      muted: await mutedAddresses([customer], ports.addressees),
      preferences: customer.preferences,
      history: answers.reverse(),
    });
  }),
};

const channelView = (customer: Customer, channel: Channel, answers: readonly RecordedAnswer[]): object => {
  const { status, at, source, evidence: text } = customer.consent[channel] ?? {};
  const given = answers.find((one) => one.channel === channel && one.source === source);
  return {
    ...{ channel, status, since: at, source },
    evidence: given?.evidence ?? (text === undefined ? null : { type: 'list', text }),
    addresses: addressesOf(channel, customer.identifiers).map((address) => ({
      address,
      open: customer.closed[address] === undefined,
    })),
  };
};

/** The interaction that closed an address may have expired; then only its id is known. */
const closedView = async (
  address: Identifier,
  { reason, at, source }: ClosedAddress,
  ports: ConsentPorts,
): Promise<object> => {
  const interaction = await ports.interaction(source);
  return {
    ...{ address, reason, since: at, source },
    evidence: interaction ? evidenceOf(interaction, address) : null,
  };
};

/**
 * The addresses of a person, and of guests, that an opt-out by claim keeps from marketing: nobody who owns them has answered
 * since. The claim is evidence of nothing, so it changes no consent.
 */
export const mutedAddresses = async (
  customers: readonly Customer[],
  addressees: ConsentPorts['addressees'],
): Promise<readonly object[]> => {
  const owned = new Map(
    customers.flatMap((one) => one.identifiers.map((address) => [address, one] as const)),
  );
  const all = new Set(customers.flatMap(({ identifiers, claimed }) => [...identifiers, ...claimed]));
  const claims = await addressees.claims([...all]);
  return [...claims].flatMap(([address, { mute }]) =>
    mute && isMuted(mute, owned.get(address), mute.channel)
      ? [{ address, channel: mute.channel, since: mute.at, source: mute.source }]
      : [],
  );
};
