import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  announced,
  type Connection,
  connectionFailed,
  connectionWorked,
  isToBeAnnounced,
  objectFailed,
  probed,
  type Stopping,
  workingConnection,
} from '../../../core/crm/connection.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const SECOND_MS = 1000;

const fault = (why: Stopping['why'], afterSeconds?: number): Stopping => ({
  ...{ code: 'unavailable-crm', message: 'It is down.', why },
  retry: afterSeconds === undefined ? 'later' : { afterSeconds },
});
const waitOf = ({ stop }: Connection): number =>
  Date.parse(stop?.nextProbeAt ?? '') - Date.parse(stop?.since ?? '');
const afterProbes = (first: Stopping, times: number): Connection => {
  let connection = connectionFailed(workingConnection, first, NOW);
  for (let n = 0; n < times; n++) {
    const at = Date.parse(connection.stop?.nextProbeAt ?? '');
    connection = probed(connection, undefined, first, at);
  }
  return connection;
};

describe('a connection', () => {
  it('is paused by the third call in a row that is not answered, and not if one was answered between', () => {
    const down = fault('down');
    const twice = connectionFailed(connectionFailed(workingConnection, down, NOW), down, NOW);
    expect(twice).toMatchObject({ status: 'working', failures: 2 });
    expect(connectionFailed(twice, down, NOW)).toMatchObject({ status: 'paused', failures: 0 });
    expect(connectionFailed(connectionWorked(twice), down, NOW).status).toBe('working');
    expect(connectionWorked(workingConnection)).toBe(workingConnection);
  });

  it('is paused at once by what a person must correct, and by a long wait that the CRM asks for', () => {
    expect(connectionFailed(workingConnection, fault('setup'), NOW).status).toBe('paused');
    expect(connectionFailed(workingConnection, fault('throttled', 120), NOW).status).toBe('paused');
    expect(connectionFailed(workingConnection, fault('throttled', 2), NOW).status).toBe('working');
  });

  it('keeps when it stopped until a probe succeeds, whatever fails meanwhile', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('setup', 'throttled', 'down'), { maxLength: 20 }), (reasons) => {
        let connection = connectionFailed(workingConnection, fault('setup'), NOW);
        let now = NOW;
        for (const why of reasons) {
          now += 60 * SECOND_MS;
          connection = connectionFailed(connection, fault(why), now);
          connection = probed(connection, undefined, fault(why), now);
          expect(connection.stop).toMatchObject({ since: '2026-03-02T09:00:00.000Z', why });
        }
        const works = probed(connection, undefined, undefined, now);
        expect(works.status).toBe('working');
        expect('stop' in works).toBe(false);
      }),
    );
  });

  it('is probed later and later, at the latest after a quarter of an hour, and never before the CRM says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 100_000 }), fc.integer({ min: 0, max: 40 }), (asked, times) => {
        const connection = afterProbes(fault('throttled', asked), times);
        const last = afterProbes(fault('throttled', asked), times + 1);
        const gap = Date.parse(last.stop?.nextProbeAt ?? '') - Date.parse(connection.stop?.nextProbeAt ?? '');
        expect(gap).toBeLessThanOrEqual(900 * SECOND_MS);
        expect(gap).toBeGreaterThanOrEqual(Math.min(900, asked) * SECOND_MS);
      }),
    );
    expect(
      [0, 1, 2, 3, 4, 5, 9].map((times) => waitOf(afterProbes(fault('setup'), times)) / SECOND_MS),
    ).toEqual([30, 90, 210, 450, 930, 1830, 5430]);
  });
});

describe('an announcement', () => {
  const stopAfter = (times: number, first: Stopping) => {
    const { stop } = afterProbes(first, times);
    if (stop === undefined) throw new Error('The connection is not paused.');
    return stop;
  };

  it('is made at once of what a person must correct and of a long wait, else after a probe', () => {
    expect(isToBeAnnounced(stopAfter(0, fault('setup')))).toBe(true);
    expect(isToBeAnnounced(stopAfter(0, fault('throttled', 3600)))).toBe(true);
    expect(isToBeAnnounced(stopAfter(0, fault('throttled', 60)))).toBe(false);
    expect(isToBeAnnounced(stopAfter(1, fault('throttled', 60)))).toBe(true);
  });

  it('is made once', () => {
    const paused = announced(connectionFailed(workingConnection, fault('setup'), NOW), undefined);
    expect(paused.stop && isToBeAnnounced(paused.stop)).toBe(false);
    expect(announced(paused, undefined)).toBe(paused);
    expect(announced(workingConnection, 'Contact')).toBe(workingConnection);
  });
});

describe('an object', () => {
  it('is parked by itself: the connection is limited until the last one works', () => {
    const one = objectFailed(workingConnection, 'Contact', fault('setup'), NOW);
    const two = objectFailed(one, 'Task', fault('setup'), NOW);
    expect(two.status).toBe('limited');
    expect(objectFailed(two, 'Task', fault('setup'), NOW)).toBe(two);
    const left = probed(two, 'Task', undefined, NOW);
    expect(left).toMatchObject({ status: 'limited', parked: { Contact: { probes: 0 } } });
    expect(probed(left, 'Contact', undefined, NOW)).toMatchObject({ status: 'working', parked: {} });
    const paused = connectionFailed(two, fault('setup'), NOW);
    expect(paused).toMatchObject({ status: 'paused', parked: { Contact: {}, Task: {} } });
    expect(probed(paused, undefined, undefined, NOW).status).toBe('limited');
  });
});
