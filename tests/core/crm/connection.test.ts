import { describe, expect, it } from 'vitest';
import {
  announced,
  type Connection,
  connectionFailed,
  connectionWorked,
  isToBeAnnounced,
  objectFailed,
  probed,
  workingConnection,
} from '../../../core/crm/connection.ts';
import { CrmFault, type Why } from '../../../core/crm/fault.ts';

const fault = (why: Why, afterSeconds?: number): CrmFault =>
  new CrmFault('unavailable-crm', 'Look at its status page.', { scope: 'connection', why, afterSeconds });
const secondsOf = (connection: Connection): number =>
  (Date.parse(connection.stop?.nextProbeAt ?? '') - Date.parse(connection.stop?.since ?? '')) / 1000;

describe('a connection', () => {
  it('pauses after three calls that were not answered, and one that is answered begins anew', () => {
    const failed = (count: number, from = workingConnection): Connection =>
      Array.from({ length: count }).reduce<Connection>(
        (one) => connectionFailed(one, fault('down'), 0),
        from,
      );
    expect([1, 2, 3].map((count) => failed(count).status)).toEqual(['working', 'working', 'paused']);
    expect(failed(2, connectionWorked(failed(2))).status).toBe('working');
  });

  it.each<[Why, number | undefined, string]>([
    ['setup', undefined, 'paused'],
    ['throttled', 60, 'paused'],
    ['throttled', 59, 'working'],
    ['down', undefined, 'working'],
  ])('one fault %s that asks for %s seconds leaves it %s', (why, afterSeconds, status) => {
    expect(connectionFailed(workingConnection, fault(why, afterSeconds), 0).status).toBe(status);
  });

  it('is probed less and less often, up to the limit of a queue, and for as long as the CRM asks', () => {
    let connection = connectionFailed(workingConnection, fault('setup'), 0);
    const waits = [secondsOf(connection)];
    for (let probe = 0; probe < 8; probe++) {
      connection = probed(connection, undefined, fault('setup'), 0);
      waits.push(secondsOf(connection));
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 900, 900, 900, 900]);
    expect(secondsOf(connectionFailed(workingConnection, fault('throttled', 120), 0))).toBe(120);
    expect(probed(connection, undefined, undefined, 0)).toMatchObject({ status: 'working' });
    expect(probed(connection, undefined, undefined, 0).stop).toBeUndefined();
  });

  it('is announced once: at once where a person must act, else when a probe has confirmed it', () => {
    const stopOf = (connection: Connection) => connection.stop ?? expect.unreachable();
    const setup = connectionFailed(workingConnection, fault('setup'), 0);
    expect(isToBeAnnounced(stopOf(setup))).toBe(true);
    expect(isToBeAnnounced(stopOf(announced(setup, undefined)))).toBe(false);
    const brief = connectionFailed(workingConnection, fault('throttled', 60), 0);
    expect(isToBeAnnounced(stopOf(brief))).toBe(false);
    expect(isToBeAnnounced(stopOf(probed(brief, undefined, fault('down'), 0)))).toBe(true);
    expect(isToBeAnnounced(stopOf(connectionFailed(workingConnection, fault('throttled', 900), 0)))).toBe(
      true,
    );
  });

  it('is limited while an object is parked, which others do not suffer from', () => {
    const parked = objectFailed(workingConnection, 'Task', fault('setup'), 0);
    expect(parked).toMatchObject({ status: 'limited', parked: { Task: { why: 'setup' } } });
    expect(objectFailed(parked, 'Task', fault('setup'), 9)).toBe(parked);
    expect(probed(parked, 'Contact', undefined, 0)).toBe(parked);
    expect(probed(parked, 'Task', undefined, 0)).toMatchObject({ status: 'working', parked: {} });
    expect(connectionFailed(parked, fault('setup'), 0).status).toBe('paused');
  });
});
