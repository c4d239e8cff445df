import { describe, expect, it } from 'vitest';
import type { ConsentStatus } from '../../../core/consent/consent.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import {
  type AddressState,
  addressAllows,
  candidateAddresses,
  isAddress,
  isAddressClosed,
} from '../../../core/triggers/addresses.ts';
import { decided, HOUR, iso, NOON, outcome, person } from '../../support/triggers/situations.ts';

const [ada, eve, guestAddress] = ['email:ada@example.com', 'email:eve@example.com', 'email:x@example.com'];
const guest: Customer = { ...person({ id: 'guest', identifiers: [] }), guest: true, claimed: [guestAddress] };
const state = (more: Partial<AddressState> = {}): AddressState => ({
  ...{ isClosed: false, consent: {}, reservations: [] },
  ...more,
});
const entry = (status: ConsentStatus, at = NOON) => ({ status, at: iso(at), source: 'test' });

it('an address is an identifier that some channel writes to', () => {
  expect(['email:a@b.c', 'phone:+1', 'whatsapp-user:1', 'line:1'].every(isAddress)).toBe(true);
  expect(['user-id:1', 'anonymous:1', 'shopify:1'].some(isAddress)).toBe(false);
});

describe('the addresses of a channel', () => {
  const candidates = (
    customer: Customer,
    carried: readonly string[],
    channel: 'email' | 'whatsapp' = 'email',
  ) =>
    candidateAddresses(customer, carried, channel).map(
      ({ address, causeOnly }) => `${address}${causeOnly ? ' (cause only)' : ''}`,
    );

  it('are the person’s own that the cause carried, then others that it carried, then the rest of their own', () => {
    const three = ['email:one@x.y', 'email:two@x.y', 'email:three@x.y'];
    const customer = person({
      identifiers: three,
      heard: { 'email:three@x.y': iso(NOON), 'email:two@x.y': iso(NOON - HOUR) },
    });
    expect(candidates(customer, [])).toEqual(['email:three@x.y', 'email:two@x.y', 'email:one@x.y']);
    expect(candidates(customer, [eve, 'email:one@x.y', 'email:two@x.y', 'phone:+1'])).toEqual([
      ...['email:two@x.y', 'email:one@x.y', `${eve} (cause only)`, 'email:three@x.y'],
    ]);
  });

  it('of a guest are those that the cause carried alone, of which it owns none', () => {
    expect(candidates(guest, [ada])).toEqual([`${ada} (cause only)`]);
    expect(candidates(guest, [])).toEqual([]);
  });

  it('are of the best type that the cause carried, and of the best that the person has', () => {
    const customer = person({ identifiers: ['phone:+1', 'whatsapp:1'] });
    expect(candidates(customer, ['phone:+2'], 'whatsapp')).toEqual(['phone:+2 (cause only)', 'whatsapp:1']);
    expect(candidates(person({ identifiers: ['phone:+1'] }), [], 'whatsapp')).toEqual(['phone:+1']);
  });
});

it('an address is closed by the customer’s own closures and by those of its owner', () => {
  const closed = { [ada]: { reason: 'bounce' as const, at: iso(NOON), source: 'i' } };
  const candidate = { address: ada, causeOnly: false };
  expect(isAddressClosed(person({ closed }), candidate, new Map())).toBe(true);
  expect(isAddressClosed(person(), candidate, new Map())).toBe(false);
  expect(isAddressClosed(person(), candidate, new Map([[ada, state({ isClosed: true })]]))).toBe(true);
  expect(isAddressClosed(person(), candidate, new Map([[eve, state({ isClosed: true })]]))).toBe(false);
});

describe('what consent lets through', () => {
  const allows = (
    {
      customer = person(),
      causeOnly = false,
      category = 'marketing',
      optIn = 'double',
    }: {
      customer?: Customer;
      causeOnly?: boolean;
      category?: 'marketing' | 'service' | 'transactional';
      optIn?: 'double' | 'single';
    },
    known: Partial<AddressState> = {},
  ): boolean =>
    addressAllows(customer, { address: ada, causeOnly }, 'email', category, new Map([[ada, state(known)]]), {
      optIn,
    });
  const granted = person({ consent: { email: 'granted' } });
  const muteAt = (at: number, channel: 'email' | 'sms' = 'email') => ({ mute: { channel, at: iso(at) } });

  it('is decided by the customer’s consent for an own address, by the owner’s for another', () => {
    const ofOwner = { consent: { email: entry('denied') } };
    expect(allows({ customer: granted, category: 'service' }, ofOwner)).toBe(true);
    expect(allows({ customer: granted, category: 'service', causeOnly: true }, ofOwner)).toBe(false);
    expect(allows({ customer: granted, causeOnly: true })).toBe(false);
    expect(allows({ causeOnly: true }, { consent: { email: entry('granted') } })).toBe(true);
  });

  it('is no marketing to an address that was muted since its owner last answered', () => {
    const answeredAt = Date.parse('2026-01-01T00:00:00.000Z');
    expect(allows({ customer: granted })).toBe(true);
    expect(allows({ customer: granted }, muteAt(answeredAt + 1))).toBe(false);
    expect(allows({ customer: granted }, muteAt(answeredAt))).toBe(true);
    // A mute by another channel is one of the address.
    expect(allows({ customer: granted }, muteAt(NOON, 'sms'))).toBe(false);
    expect(allows({ customer: granted, category: 'service' }, muteAt(NOON))).toBe(true);
    const owned = { consent: { email: entry('granted') }, owner: granted };
    expect(allows({ causeOnly: true }, { ...owned, ...muteAt(answeredAt) })).toBe(true);
    expect(allows({ causeOnly: true }, { ...owned, ...muteAt(NOON) })).toBe(false);
    expect(allows({ causeOnly: true }, { consent: { email: entry('granted') }, ...muteAt(0) })).toBe(false);
  });

  it('is marketing by a claimed opt-in only with single opt-in, and where the owner has not answered', () => {
    const optIn = { optIn: { channel: 'email' as const, at: iso(NOON) } };
    for (const causeOnly of [true, false]) {
      expect(allows({ causeOnly, optIn: 'single' }, optIn)).toBe(true);
      expect(allows({ causeOnly, optIn: 'double' }, optIn)).toBe(false);
      expect(allows({ causeOnly, optIn: 'single' })).toBe(false);
    }
    const bySms = { optIn: { channel: 'sms' as const, at: iso(NOON) } };
    expect(allows({ optIn: 'single' }, bySms)).toBe(false);
    const denied = person({ consent: { email: 'service-only' } });
    expect(allows({ customer: denied, optIn: 'single' }, optIn)).toBe(false);
    expect(allows({ optIn: 'single' }, { ...optIn, ...muteAt(NOON) })).toBe(false);
  });
});

describe('what nobody vouches for causes', () => {
  const reservations = (count: number, more: object = {}) =>
    Array.from({ length: count }, (_, n) => ({ trigger: 'x', at: NOON - n * HOUR, ...more }));
  const claims = (
    told: {
      toAddress?: number;
      inHub?: number;
      hub?: Record<string, unknown>;
      channel?: 'sms' | 'email';
    } = {},
  ): string => {
    const { toAddress = 0, inHub = 0, hub = {}, channel = 'email' } = told;
    const address = channel === 'sms' ? 'phone:+14155550199' : guestAddress;
    return outcome(
      { send: { channels: [channel], template: 'hello' } },
      {
        customer: guest,
        carried: [address],
        hub,
        addresses: new Map([[address, state({ reservations: reservations(toAddress) })]]),
        hubReservations: reservations(inHub, { at: NOON }),
      },
    );
  };

  it('is at most three messages a day to one address', () => {
    expect(claims({ toAddress: 2 })).toBe('send email');
    expect(claims({ toAddress: 3 })).toBe('claim-cap');
    expect(claims({ toAddress: 3, hub: { claims: { perAddress: '4 per 1d' } } })).toBe('send email');
    expect(claims({ toAddress: 3, hub: { claims: { perAddress: '3 per 1h' } } })).toBe('send email');
  });

  it('is at most two hundred messages an hour in the whole hub', () => {
    expect(claims({ inHub: 199 })).toBe('send email');
    expect(claims({ inHub: 200 })).toBe('claim-cap');
    expect(claims({ inHub: 2, hub: { claims: { hub: '2 per 1h' } } })).toBe('claim-cap');
  });

  it('is no SMS, unless the hub allows it', () => {
    expect(claims({ channel: 'sms' })).toBe('claim-cap');
    expect(claims({ channel: 'sms', hub: { claims: { sms: true } } })).toBe('send sms');
  });

  it('is told with its counts, and shows the cause alone', () => {
    const decision = decided({}, { customer: guest, carried: [guestAddress] });
    expect(decision).toMatchObject({ decision: 'send', addresses: [guestAddress], causeOnly: true });
    expect(decision.steps).toContainEqual({
      step: 'claims',
      result: '0 of 3 to the address, 0 of 200 in the hub',
    });
    const refused = decided(
      { send: { channels: ['sms'], template: 'hello' } },
      { customer: guest, carried: ['phone:+14155550199'] },
    );
    expect(refused).toMatchObject({ decision: 'suppress', reason: 'claim-cap', channel: 'sms' });
    expect(refused.steps.map(({ step }) => step)).toEqual(['channel sms', 'claims']);
  });

  it('is not counted against persons, nor against what goes to a team', () => {
    const none = { claims: { perAddress: '0 per 1d', hub: '0 per 1d' } };
    expect(outcome({}, { hub: none })).toBe('send email');
    const toTeam = { send: { template: 'hello', to: { team: 'sales' } } };
    expect(outcome(toTeam, { hub: none, customer: guest })).toBe('send email');
    expect(outcome({}, { hub: none, customer: guest, carried: [guestAddress] })).toBe('claim-cap');
  });

  it('counts for perCustomer of whoever owns the address, each message once', () => {
    const limited = { limits: { perCustomer: '2 per 7d' } };
    const sent = { trigger: 'hello', category: 'service' as const };
    const count = (own: readonly number[], atAddress: readonly number[]): string =>
      outcome(limited, {
        reservations: own.map((at) => ({ ...sent, at })),
        addresses: new Map([[ada, state({ reservations: atAddress.map((at) => ({ ...sent, at })) })]]),
      });
    expect(count([NOON - 1], [NOON - 2])).toBe('frequency-cap');
    expect(count([NOON - 1], [NOON - 1])).toBe('send email');
    expect(count([NOON - 1], [NOON - 1, NOON - 1])).toBe('frequency-cap');
    expect(count([], [NOON - 1, NOON - 2])).toBe('frequency-cap');
    expect(count([NOON - 1], [])).toBe('send email');
  });
});
