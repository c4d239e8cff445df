import { afterEach, describe, expect, it } from 'vitest';
import { bySecond, openDeferredSends } from '../../support/triggers/deferred-sends.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let run: Awaited<ReturnType<typeof openDeferredSends>> | undefined;
afterEach(async () => {
  await run?.hub.stop();
  run = undefined;
});
const open = async (...given: Parameters<typeof openDeferredSends>) => {
  run = await openDeferredSends(...given);
  return run;
};

const sesState = async ({ api }: Pick<Awaited<ReturnType<typeof open>>['hub'], 'api'>) => {
  const { senders } = (await api('GET', '/connections')).body;
  return senders.find(({ sender }: { readonly sender: string }) => sender === 'ses');
};

describe('e-mails that are due at the same instant', () => {
  it('are all sent, each once, at the rate of the account, without a failure', async () => {
    const { hub, sent, requests } = await open(60, { second: 14, day: 50_000 });
    await hub.wait(MINUTE);
    expect([...sent().values()].every((times) => times.length === 1)).toBe(true);
    expect(bySecond(sent())).toEqual([14, 14, 14, 14, 4]);
    expect(await hub.failures()).toEqual([]);
    // One request sends each, and SES has refused none.
    expect(requests.get('ses SendRawEmail')).toBe(60);
  });

  it('beyond the daily quota are sent when it is free again; one failure and their own rows say so', async () => {
    const { hub, sent, row } = await open(40, { second: 14, day: 25 });
    await hub.wait(HOUR);
    expect(sent().size).toBe(25);
    const failures = await hub.failures();
    expect(failures).toMatchObject([{ stage: 'notify', code: 'stopped-sender', about: { sender: 'ses' } }]);
    expect(await sesState(hub)).toMatchObject({
      ...{ status: 'limited', since: '2026-03-02T09:00:00.000Z' },
      reason: expect.stringContaining('the 25 messages'),
    });
    expect(failures[0].reason).toMatch(/^ses has sent.*the 25 messages.*from 2026-03-03T10:00:00/u);
    const rows = await Promise.all(Array.from({ length: 40 }, (_, at) => row(at)));
    const waiting = rows.filter((one) => one?.status === 'reserved');
    expect(waiting).toHaveLength(15);
    for (const one of waiting)
      expect(one?.steps.at(-1)).toMatchObject({
        step: 'pace',
        result: expect.stringMatching(/^waits until 2026-03-03T10:00:0.*slot of ses/u),
      });
    await hub.wait(25 * HOUR);
    expect(sent().size).toBe(40);
    expect([...sent().values()].every((times) => times.length === 1)).toBe(true);
    expect(await hub.failures()).toEqual([]);
    expect(await sesState(hub)).toEqual({ sender: 'ses', status: 'working' });
  });
});
