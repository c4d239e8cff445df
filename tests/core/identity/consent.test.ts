import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unmergeCustomer } from '../../../core/identity/decisions/unmerge.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { mergeManually } from '../../../core/identity/merge.ts';
import { People } from '../../../core/identity/people.ts';
import { resolveInteraction } from '../../../core/identity/resolution.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import { consentAllows } from '../../../core/triggers/trigger.ts';

const config = IdentityConfig.parse({});
const START = Date.parse('2026-03-01T09:00:00Z');
const instant = (minute: number): string => new Date(START + minute * 60_000).toISOString();
const ada = 'phone:+14155550100';
const old = 'phone:+14155550101';

const crowd = (): People => {
  let next = 0;
  return new People({ sourceProfiles: [], owners: [] }, config, () => `c${next++}`);
};

let ids = 0;
const act = (minute: number, more: Partial<Interaction> = {}): Interaction => ({
  id: `i${String(ids++).padStart(6, '0')}`,
  kind: 'message',
  channel: 'sms',
  provider: 'twilio',
  direction: 'inbound',
  occurredAt: instant(minute),
  identifiers: [ada],
  ...more,
});
const words = (minute: number, text: string, more: Partial<Interaction> = {}): Interaction =>
  act(minute, { text, ...more });
const give = (people: People, ...acts: readonly Interaction[]): void => {
  for (const one of acts) resolveInteraction(people, one, undefined, instant(1000));
};
const standing = (people: People): unknown => {
  const { consent, closed } = people.customer(people.owner(ada) ?? '');
  return {
    consent: Object.fromEntries(Object.entries(consent).map(([channel, entry]) => [channel, entry?.status])),
    closed: Object.keys(closed).sort(),
  };
};

/** What FORMATS says, told in order: the plain reading that the hub must come to in any order. */
const plainly = (acts: readonly Interaction[]): unknown => {
  const rank = ['yes', 'opt-in', 'list', 'STOP'];
  const told = acts
    .map((one) => ({ ...one, means: meaning(one) }))
    .sort((one, other) =>
      one.occurredAt === other.occurredAt
        ? rank.indexOf(one.means) - rank.indexOf(other.means)
        : one.occurredAt < other.occurredAt
          ? -1
          : 1,
    );
  let status: string | undefined;
  const closed = new Set<string>();
  for (const { means, identifiers } of told) {
    if (means === 'STOP') status = 'denied';
    if (means === 'opt-in') status = 'granted';
    if (means === 'list') status = status === 'denied' ? 'denied' : 'service-only';
    if (means === 'yes' && status === 'denied') status = 'granted';
    for (const one of identifiers) {
      if (means === 'STOP') closed.add(one);
      if (means === 'opt-in' || means === 'yes') closed.delete(one);
    }
  }
  return { consent: status === undefined ? {} : { sms: status }, closed: [...closed].sort() };
};
const meaning = ({ kind, text = '' }: Interaction): string =>
  kind === 'opt-out'
    ? 'list'
    : kind === 'opt-in' || text === 'START'
      ? 'opt-in'
      : text === 'STOP'
        ? 'STOP'
        : 'yes';

const Act = fc
  .record({
    minute: fc.integer({ min: 0, max: 6 }),
    what: fc.constantFrom('STOP', 'START', 'YES', 'opt-in', 'opt-out'),
    address: fc.constantFrom(ada, old),
  })
  .map(({ minute, what, address }) =>
    what.startsWith('opt-')
      ? act(minute, {
          kind: what === 'opt-in' ? 'opt-in' : 'opt-out',
          identifiers: [address],
          ...(what === 'opt-out' && { properties: { scope: 'marketing' } }),
        })
      : words(minute, what, { identifiers: [address] }),
  );

describe('answers', () => {
  it('lead to the same in whatever order they arrive, also of an instant', () => {
    fc.assert(
      fc.property(
        fc
          .array(Act, { maxLength: 9 })
          .chain((acts) =>
            fc.tuple(fc.constant(acts), fc.shuffledSubarray(acts, { minLength: acts.length })),
          ),
        ([acts, shuffled]) => {
          const people = crowd();
          give(people, act(-1, { identifiers: [ada, old] }), ...shuffled);
          expect(standing(people)).toEqual(plainly(acts));
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('of YES wait for the denial that they answer', () => {
    const people = crowd();
    give(people, words(2, 'YES'));
    expect(standing(people)).toEqual({ consent: {}, closed: [] });
    give(people, words(1, 'STOP'));
    expect(standing(people)).toEqual({ consent: { sms: 'granted' }, closed: [] });
  });

  it('are words on SMS, RCS and WhatsApp only, of an inbound message as a whole', () => {
    for (const [more, denied] of [
      [{ channel: 'whatsapp' }, true],
      [{ channel: 'rcs' }, true],
      [{ channel: 'messenger' }, false],
      [{ channel: 'email' }, false],
      [{ direction: 'outbound' }, false],
      [{ kind: 'postback' }, false],
      [{ kind: 'edit' }, false],
      [{ text: 'stop it' }, false],
      [{ text: 'STOP.' }, true],
      [{ text: 'arret' }, true],
      [{ text: '\n\u00a0stop \t' }, true],
    ] satisfies [Partial<Interaction>, boolean][]) {
      const people = crowd();
      give(people, words(1, 'Stop', more));
      expect([more, Object.keys(people.customer('c0').consent).length]).toEqual([more, denied ? 1 : 0]);
    }
  });

  it('by WhatsApp leave SMS as it is', () => {
    const people = crowd();
    const whatsapp: Partial<Interaction> = {
      channel: 'whatsapp',
      identifiers: ['whatsapp:14155550100', ada],
    };
    give(people, words(1, 'STOP'), words(2, 'STOP', whatsapp), words(3, 'START', whatsapp));
    expect(standing(people)).toEqual({ consent: { sms: 'denied', whatsapp: 'granted' }, closed: [ada] });
    give(people, words(4, 'START'));
    expect(standing(people)).toEqual({ consent: { sms: 'granted', whatsapp: 'granted' }, closed: [] });
  });

  it('on a page are those of whoever owns the address then, and prove nothing', () => {
    const people = crowd();
    const page: Partial<Interaction> = {
      kind: 'opt-out',
      provider: 'tributary',
      properties: { scope: 'marketing' },
    };
    give(people, act(1, page));
    expect(people.owner(ada)).toBeUndefined();
    expect(people.addressClaims).toMatchObject([{ address: ada, claim: 'mute', channel: 'sms' }]);
    give(people, words(2, 'Hello'), act(3, { ...page, claimed: [ada] }));
    expect(standing(people)).toEqual({ consent: { sms: 'service-only' }, closed: [] });
    expect(people.customer(people.owner(ada) ?? '').lastInboundAt).toEqual({ [ada]: instant(2) });
  });

  it('to service messages only are an opt-in of that scope, also after a denial', () => {
    const people = crowd();
    give(people, words(0, 'Hello'), act(1, { kind: 'opt-out', provider: 'tributary' }));
    expect(standing(people)).toEqual({ consent: { sms: 'denied' }, closed: [] });
    give(people, act(2, { kind: 'opt-in', properties: { scope: 'service' } }));
    expect(standing(people)).toEqual({ consent: { sms: 'service-only' }, closed: [] });
    expect([consentAllows('service', 'service-only'), consentAllows('marketing', 'service-only')]).toEqual([
      true,
      false,
    ]);
  });

  it('reported by a help desk for e-mail apply to e-mail', () => {
    const people = crowd();
    const identifiers = ['intercom:1', 'email:ada@example.com', ada];
    give(
      people,
      act(1, {
        kind: 'opt-out',
        channel: 'chat',
        identifiers,
        properties: { scope: 'marketing', medium: 'email' },
      }),
    );
    expect(standing(people)).toEqual({ consent: { email: 'service-only' }, closed: [] });
  });
});

describe('a merged customer', () => {
  const merged = (): People => {
    const people = crowd();
    give(people, words(1, 'START'), words(1, 'START', { identifiers: [old] }));
    mergeManually(people, 'c0', 'c1', { at: instant(2), by: 'ada', cause: 'cmd' });
    return people;
  };

  it('records an answer for the source profile of its identifier, and the stricter answer counts', () => {
    const people = merged();
    give(people, words(3, 'STOP', { identifiers: [old] }));
    expect(standing(people)).toEqual({ consent: { sms: 'denied' }, closed: [old] });
    unmergeCustomer(people, 'c0', { at: instant(4), by: 'ada' });
    expect(people.customer('c0').consent.sms?.status).toBe('granted');
    expect(people.customer('c1').consent.sms?.status).toBe('denied');
  });

  it('closes and reopens an address for its owner, whatever else the message names', () => {
    const people = merged();
    give(people, act(3, { identifiers: ['user-id:42', ada] }));
    give(people, words(4, 'STOP', { identifiers: ['user-id:42', old] }));
    expect(standing(people)).toEqual({ consent: { sms: 'denied' }, closed: [old] });
    give(people, words(5, 'START', { identifiers: [old] }));
    expect(standing(people)).toEqual({ consent: { sms: 'granted' }, closed: [] });
  });
});

describe('an address', () => {
  it('that bounced or was complained about stays closed, and says nothing about consent', () => {
    for (const kind of ['bounce', 'complaint'] as const) {
      const people = crowd();
      give(
        people,
        words(1, 'START'),
        act(2, { kind, direction: 'outbound' }),
        words(3, 'STOP'),
        words(4, 'START'),
      );
      expect(standing(people)).toEqual({ consent: { sms: 'granted' }, closed: [ada] });
    }
  });

  it('is the one of the channel that bounced', () => {
    const people = crowd();
    give(people, act(0, { identifiers: ['whatsapp:14155550100', 'email:ada@example.com', ada] }));
    give(people, act(1, { kind: 'bounce', channel: 'whatsapp', identifiers: ['whatsapp:14155550100', ada] }));
    give(people, act(2, { kind: 'bounce', channel: 'email', identifiers: ['email:Ada@Example.com', ada] }));
    expect(standing(people)).toEqual({
      consent: {},
      closed: ['email:ada@example.com', 'whatsapp:14155550100'],
    });
  });

  it('is closed for its owner, also when the interaction belongs to another customer', () => {
    const people = crowd();
    give(people, act(1, { identifiers: ['user-id:1', 'email:a@example.com'] }));
    give(people, act(1, { identifiers: ['user-id:2', 'email:b@example.com'] }));
    give(
      people,
      act(2, { kind: 'bounce', channel: 'email', identifiers: ['user-id:1', 'email:b@example.com'] }),
    );
    expect(Object.keys(people.customer('c0').closed)).toEqual([]);
    expect(Object.keys(people.customer('c1').closed)).toEqual(['email:b@example.com']);
  });
});
