import { describe, expect, it } from 'vitest';
import type { RecordedAnswer } from '../../../core/consent/evidence.ts';
import type { Notification } from '../../../core/triggers/notification.ts';
import { customerAsOf, knownAt, reservationsBefore } from '../../../core/triggers/why/as-of.ts';
import { nearestChanges } from '../../../core/triggers/why/changes.ts';
import { redecide } from '../../../core/triggers/why/redecide.ts';
import { explain, stepWords, summaryOf } from '../../../core/triggers/why/sentences.ts';
import { lengthWords } from '../../../core/triggers/why/words.ts';
import { DAY, HOUR, iso, NOON, past, person, situationOf } from '../../support/triggers/situations.ts';

type Given = Parameters<typeof situationOf>;
const changes = (...given: Given): string[] =>
  nearestChanges(situationOf(...given)).map(({ sentence }) => sentence);
const granted = person({ consent: { email: 'granted' } });
const order = { kind: 'order', channel: 'web' } as const;
const sends = (count: number, at = NOON - HOUR) =>
  Array.from({ length: count }, (_, position) => ({
    ...{ trigger: 'other', category: 'marketing' as const, at: at - position },
  }));

describe('the nearest change with which it would have been decided otherwise', () => {
  it('is the consent that lacked', () => {
    expect(changes({ category: 'marketing' })).toEqual([
      'With consent for email (granted; it was unknown) it would have been sent by email.',
    ]);
  });

  it('is nothing where two changes would be needed', () => {
    expect(changes({ category: 'marketing' }, { reservations: sends(3) })).toEqual([]);
  });

  it('is one message fewer, or the time at which the oldest leaves the window', () => {
    const at = NOON - 7 * DAY + 12 * 60_000;
    expect(
      changes({ category: 'marketing' }, { customer: granted, reservations: [...sends(2), ...sends(1, at)] }),
    ).toEqual([
      '12 min later (at 2026-03-02 11:12:00 UTC) it would have been sent by email.',
      'With one message fewer in 7 d (the cap of marketing: 3) it would have been sent by email.',
    ]);
    expect(
      changes(
        { limits: { perCustomer: '1 per 1d' } },
        {
          reservations: [
            { trigger: 'hello', at: NOON - 1 },
            { trigger: 'hello', at: NOON - 2 },
          ],
        },
      ),
    ).toContain('With 2 messages fewer in 1 d (perCustomer: 1) it would have been sent by email.');
  });

  it('is an address, an open one, or a text', () => {
    expect(changes({ send: { channels: ['push'], template: 'hello' } })).toEqual([
      'With an address for push (push) it would have been sent by push.',
    ]);
    const closed = {
      'email:ada@example.com': { reason: 'bounce' as const, at: iso(NOON - DAY), source: 'b' },
    };
    expect(changes({}, { customer: person({ closed }) })).toContain(
      'With email:ada@example.com open (it was closed) it would have been sent by email.',
    );
    const templates = { hello: { channels: [], approvedWhatsApp: false } };
    expect(changes({}, { templates })).toEqual([
      'With a text for email in the template it would have been sent by email.',
    ]);
  });

  it('is a count, a tag, a stage, or what cancelled it', () => {
    const counts = { where: [{ count: { kind: ['order'] }, within: '1d', atLeast: 2 }] };
    expect(changes(counts, { history: [past(NOON - HOUR, order)] })).toEqual([
      'With one more interaction like {"kind":["order"]} in 1 d it would have been sent by email.',
    ]);
    const none = { where: [{ count: { kind: ['order'] }, within: '1d', exactly: 0 }] };
    expect(changes(none, { history: [past(NOON - HOUR, order)] })).toEqual([
      '23 h later (at 2026-03-03 10:00:00 UTC) it would have been sent by email.',
      'With one interaction fewer like {"kind":["order"]} in 1 d it would have been sent by email.',
    ]);
    expect(changes({ where: [{ customer: { tags: ['vip'] } }] })).toEqual([
      'With the tag vip it would have been sent by email.',
    ]);
    const churned = { where: [{ not: { customer: { stage: ['churned'] } } }] };
    expect(changes(churned, { customer: person({ stage: 'churned' }) })).toEqual([
      'In another stage than churned it would have been sent by email.',
    ]);
    const waits = { wait: '2h', unless: { kind: ['order'] } };
    const later = { now: NOON + 2 * HOUR, waited: true, history: [past(NOON + HOUR, order)] };
    expect(changes(waits, later)).toEqual([
      'Without the order of 2026-03-02 12:00:00 UTC it would have been sent by email.',
    ]);
  });

  it('of a send is what would have held it back, or sent it elsewhere', () => {
    expect(changes({ send: { channels: ['email', 'sms'], template: 'hello' } })).toEqual([
      '9 h later (at 2026-03-02 20:00:00 UTC) it would have waited until 2026-03-03 07:00:00 UTC.',
      'With consent for email denied (it was unknown) it would have been sent by sms.',
    ]);
  });

  it('of one that came too late is how much earlier', () => {
    const late = { now: NOON + 3 * HOUR, waited: true };
    expect(changes({ wait: '2h', limits: { expires: '2h' } }, late)).toEqual([
      '1 h earlier (by 2026-03-02 13:00:00 UTC) it would have been sent by email.',
    ]);
  });
});

describe('what a decision read', () => {
  const answer = (at: number, to: RecordedAnswer['to']): RecordedAnswer => ({
    ...{ channel: 'email', answer: to === 'unknown' ? 'unknown' : to, at: iso(at), source: `s${at}` },
    ...{ from: 'unknown', to, evidence: { type: 'command', by: 'ada' } },
  });

  it('is the consent, the closures and the profile of then', () => {
    const now = person({ consent: { email: 'denied' }, tags: ['vip'] });
    const denied = { status: 'denied', at: iso(NOON), source: 'x' } as const;
    const later = { ...now, lastSeenAt: iso(NOON + HOUR), consent: { email: denied } };
    const before = past(NOON - DAY);
    const answers = [answer(NOON - 3 * DAY, 'granted'), answer(NOON, 'denied')];
    const then = customerAsOf(
      later,
      answers,
      knownAt([past(NOON), before], iso(NOON - HOUR)),
      iso(NOON - HOUR),
    );
    expect(then.consent.email?.status).toBe('granted');
    expect(then.tags).toEqual([]);
    expect(customerAsOf(later, answers, [before], iso(NOON - 5 * DAY)).consent.email).toBeUndefined();
    expect(
      reservationsBefore(
        [
          { trigger: 'a', at: 1 },
          { trigger: 'a', at: 2 },
        ],
        2,
      ),
    ).toHaveLength(1);
  });
});

describe('sentences', () => {
  const row = (fields: Partial<Notification>): Notification => ({
    ...{ trigger: 'hello', triggerVersion: 2, category: 'service', profileId: 'ada', interaction: 'cause' },
    ...{ occurredAt: iso(NOON), arrivedAt: iso(NOON), version: 1, status: 'suppressed', at: iso(NOON) },
    ...{ timers: 0, steps: [], ...fields },
  });

  it('tell a decision with the values that were compared', () => {
    const inputs = situationOf({
      where: [
        { count: { kind: ['order'] }, within: '1d', exactly: 0 },
        { customer: { tags: [{ exists: false }] } },
      ],
      send: { channels: ['push', 'email'], template: 'hello' },
      limits: { perCustomer: '1 per 7d' },
    });
    const { steps } = redecide(inputs);
    const told = { trigger: inputs.trigger, cause: inputs.cause };
    expect(explain(row({ status: 'sent', channel: 'email', steps: [...steps] }), told)).toEqual([
      'Version 2 of hello, service, was set off by the message on email (test) of 2026-03-02 11:00:00 UTC, which arrived at 2026-03-02 11:00:00 UTC.',
      'Decided at 2026-03-02 11:00:00 UTC:',
      'Interactions like {"kind":["order"]} in the 1 d before: 0; exactly 0 needed.',
      'The profile fits {"tags":[{"exists":false}]}: it had {"tags":[]}.',
      'The channel push was passed over: the customer has no address for it (no-address); consent was unknown.',
      'The channel email was chosen; consent was unknown.',
      'Of the limit per customer, 1 in 7 d, 0 were used.',
      'Sent by email at 2026-03-02 11:00:00 UTC.',
    ]);
  });

  it('tell a row of an earlier release, which has no values', () => {
    expect(
      [
        { step: 'count {"kind":["order"]}', result: '2 or more' },
        { step: 'channel email', result: 'no-consent' },
        { step: 'cap', result: '3 of 3 in the window' },
        { step: 'unless', result: 'nothing' },
      ].map(stepWords),
    ).toEqual([
      'count {"kind":["order"]}: 2 or more.',
      'The channel email was passed over: the consent does not allow it (no-consent).',
      'cap: 3 of 3 in the window.',
      'Whether something of `unless` came meanwhile: nothing.',
    ]);
  });

  it('tell what waits and what is deferred apart', () => {
    const until = iso(NOON + HOUR);
    expect(summaryOf(row({ status: 'waiting', until }))).toBe('Waits until 2026-03-02 12:00:00 UTC.');
    const steps = [{ step: 'quiet hours', result: `until ${until}` }];
    expect(summaryOf(row({ status: 'waiting', until, steps }))).toMatch(/^Deferred by quiet hours/u);
    expect(lengthWords(90 * 60_000)).toBe('1 h 30 min');
  });
});
