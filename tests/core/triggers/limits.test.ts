import { describe, expect, it } from 'vitest';
import { HubError } from '../../../core/errors.ts';
import { addReservation, countReservations, mergeReservations } from '../../../core/triggers/limits.ts';
import { notificationId } from '../../../core/triggers/notification.ts';
import { isRefusal, refusal, rejectAws } from '../../../core/triggers/sending/sender.ts';
import { DAY, NOON } from '../../support/triggers/situations.ts';

const at = (time: number, trigger = 'hello') => ({ trigger, at: time });

describe('reservations', () => {
  it('count in (now - window, now]', () => {
    const count = (time: number): number =>
      countReservations([at(time)], { count: 1, windowMs: DAY }, NOON, () => true);
    expect([NOON - DAY, NOON - DAY + 1, NOON, NOON + 1].map(count)).toEqual([0, 1, 1, 0]);
    expect(
      countReservations(
        [at(NOON), at(NOON, 'x')],
        { count: 1, windowMs: DAY },
        NOON,
        (one) => one.trigger === 'x',
      ),
    ).toBe(1);
  });

  it('of two lists are counted once where both have them', () => {
    expect(mergeReservations([at(1)], [at(1), at(1, 'x'), at(2)])).toEqual([at(1), at(1, 'x'), at(2)]);
    expect(mergeReservations([at(1), at(1)], [at(1), at(1), at(1)])).toHaveLength(3);
    expect(mergeReservations([], [at(1), at(1)])).toHaveLength(2);
    expect(mergeReservations([at(1)], [])).toEqual([at(1)]);
  });

  it('are forgotten once no window can contain them', () => {
    const old = NOON - 366 * DAY;
    expect(addReservation([at(old), at(old + 1)], at(NOON))).toEqual([at(old + 1), at(NOON)]);
  });

  it('of which there are too many lose the oldest', () => {
    const many = Array.from({ length: 2000 }, (_, n) => at(NOON - 2000 + n));
    const kept = addReservation(many, at(NOON));
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([2000, many[1], at(NOON)]);
    expect(addReservation(many.slice(1), at(NOON))).toHaveLength(2000);
  });
});

describe('an error of a sender', () => {
  const refused = (error: unknown): unknown => {
    try {
      rejectAws(
        (name) => `SES said ${name}.`,
        (name) => (name === 'Throttling' ? 'rate' : undefined),
      )(error);
    } catch (thrown) {
      return thrown;
    }
  };
  const answer = (name: string, httpStatusCode?: number): Error =>
    Object.assign(new Error('no'), { name, $metadata: { httpStatusCode } });

  it.each([
    ['MessageRejected', 400, 'never'],
    ['Throttling', 429, 'later'],
    ['MessageRejected', 499, 'never'],
  ])('%s with status %i is a refusal, tried again: %s', (name, status, retry) => {
    const error = answer(name, status);
    const thrown = refused(error);
    expect(isRefusal(thrown)).toBe(true);
    expect(thrown).toMatchObject({
      code: 'sender-refusal',
      retry,
      message: `SES said ${name}.`,
      cause: error,
    });
  });

  it('is no refusal after a 5xx or without an answer: the message may have been sent', () => {
    for (const error of [
      answer('InternalFailure', 500),
      answer('Lost'),
      new TypeError('fetch failed'),
      'no',
    ]) {
      expect(refused(error)).toBe(error);
      expect(isRefusal(error)).toBe(false);
    }
  });

  it('is a refusal also where it is no Error, by its status', () => {
    expect(refused({ $metadata: { httpStatusCode: 400 } })).toMatchObject({
      message: 'SES said .',
      retry: 'never',
    });
  });

  it('is a refusal by its code alone', () => {
    expect(isRefusal(refusal('No.'))).toBe(true);
    expect(isRefusal(new HubError('write-conflict', 'No.', { retry: 'later' }))).toBe(false);
    expect(isRefusal(Object.assign(new Error('No.'), { code: 'sender-refusal' }))).toBe(false);
  });
});

it('a notification is known by its trigger and its cause', () => {
  expect(notificationId({ profileId: 'ada', trigger: 'hello', interaction: 'i1' })).toBe('hello.i1');
});
