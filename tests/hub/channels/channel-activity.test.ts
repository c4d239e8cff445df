import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { examineChannels } from '../../../cli/deployment/doctor-channels.ts';
import { HubConfig } from '../../../core/config/hub-config.ts';
import { API_KEY, NOW, openTestHub, PUBLIC_URL, type TestHub } from '../../support/open-test-hub.ts';
import { synthesiseHub } from '../../support/synthesise-hub.ts';
import { signingProviders } from '../../tools/crash/webhooks.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const config = {
  channels: { twilio: {}, sendgrid: {}, meta: {}, line: {}, standard: { accounts: ['till'] } },
};
const { sms, forge, secrets } = signingProviders(PUBLIC_URL);
const good = sms({ id: 'SM1', from: '+14155550100', text: 'a word of the payload' });
const forged = forge(good);

let built: ReturnType<typeof synthesiseHub>;
let hub: TestHub;
/** The calls that `receive` makes before it answers, in order. */
let calls: string[] = [];
let broken: RegExp | undefined;
beforeAll(() => {
  built = synthesiseHub(config);
});
afterAll(() => built.remove());
beforeEach(async () => {
  broken = undefined;
  hub = await openTestHub({
    assembly: built,
    before(service, operation) {
      calls.push(`${service} ${operation}`);
      if (broken?.test(`${service} ${operation}`)) throw new Error('not now');
    },
  });
  await hub.setSecret('channels/twilio', secrets['twilio']);
});
afterEach(async () => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  await hub.stop();
});

const post = async (target: string, { headers, body } = forged, method = 'POST'): Promise<number> => {
  calls = [];
  const request = { method, target: `/webhooks/${target}`, headers, body: Buffer.from(body) };
  return (await hub.cloud.front(request)).status;
};
const shown = async () => (await hub.api('GET', '/channels')).body;
const twilio = async () =>
  (await shown()).items.find(({ channel }: { channel: string }) => channel === 'twilio');
const activityRows = async () => (await hub.scan()).filter(({ pk }) => pk.startsWith('channel#'));
/** What `hub doctor` says of a subject. */
const doctor = async (subject: string) => {
  vi.stubEnv('HUB_URL', PUBLIC_URL);
  vi.stubEnv('HUB_KEY', API_KEY);
  vi.stubGlobal('fetch', async (url: URL) => {
    const { status, body } = await hub.front('GET', url.pathname);
    return new Response(Buffer.from(body), { status });
  });
  const findings = await examineChannels({ region: 'eu-south-1' }, HubConfig.parse(config));
  return findings.find((one) => one.subject === subject);
};

describe('what receive notes of the webhooks of a provider', () => {
  it('is nothing at first', async () => {
    expect(await shown()).toEqual({
      items: Object.keys(config.channels).map((channel) => ({ channel })),
      unknown: null,
    });
    expect(await doctor('twilio webhooks')).toMatchObject({ state: 'unknown' });
  });

  it('is the first and the last delivery, beside one request for most', async () => {
    for (const [after, requests] of [
      [0, 2],
      [MINUTE, 1],
      [3 * MINUTE, 1],
      [2 * MINUTE, 2],
    ] as const) {
      await hub.clock.runUntil(hub.clock.now() + after);
      expect(await post('twilio', good)).toBe(200);
      expect(calls.filter((call) => !call.startsWith('secretsmanager'))).toHaveLength(requests);
    }
    expect(await twilio()).toEqual({
      channel: 'twilio',
      firstDeliveryAt: new Date(NOW).toISOString(),
      lastDeliveryAt: new Date(NOW + 6 * MINUTE).toISOString(),
    });
    expect(await doctor('twilio webhooks')).toMatchObject({ state: 'ok' });
  });

  it('is why one was refused, from where, and what to do, without a word of the request', async () => {
    expect(await post('twilio')).toBe(401);
    expect((await twilio()).refused).toEqual({
      ...{ since: new Date(NOW).toISOString(), lastAt: new Date(NOW).toISOString(), count: 1, status: 401 },
      ...{ route: 'twilio', source: '127.0.0.1' },
      reason: expect.stringMatching(/signature does not match/u),
    });
    const finding = await doctor('twilio webhooks');
    expect(finding?.state).toBe('wrong');
    expect(finding?.detail).toMatch(
      /1 request was refused at \S+ to twilio from 127\.0\.0\.1 \(401\): the sig/u,
    );
    expect(finding?.detail).toMatch(/`hub connect twilio` stores the secret again/u);
    expect(JSON.stringify(await activityRows())).not.toMatch(/payload|4155550100|SM1/u);
  });

  it('names the missing secret, the wrong method and the account', async () => {
    expect(await post('line')).toBe(401);
    expect((await doctor('line webhooks'))?.detail).toMatch(/the secret channelSecret is not stored/u);
    expect(await post('standard/till', forged, 'PUT')).toBe(405);
    expect((await doctor('standard webhooks'))?.detail).toMatch(
      /to standard\/till .* must send POST\.\n.*`hub connect standard --account till --steps`/u,
    );
  });

  it('ends the alarm with the next delivery, which is noted at once', async () => {
    expect(await post('twilio', good)).toBe(200);
    await hub.clock.runUntil(NOW + MINUTE);
    expect(await post('twilio')).toBe(401);
    expect((await doctor('twilio webhooks'))?.state).toBe('wrong');
    await hub.clock.runUntil(NOW + 2 * MINUTE);
    expect(await post('twilio', good)).toBe(200);
    expect(await doctor('twilio webhooks')).toMatchObject({
      state: 'ok',
      detail: expect.stringMatching(/Before that, 1 request was refused/u),
    });
  });
});

describe('a flood of refused webhooks', () => {
  it('writes once a minute for a provider, and counts all of them', async () => {
    let writes = 0;
    for (let at = 0; at < 20; at++) {
      expect(await post('twilio')).toBe(401);
      writes += calls.filter((call) => call.startsWith('dynamodb')).length;
    }
    expect(writes).toBe(1);
    await hub.clock.runUntil(NOW + MINUTE);
    expect(await post('twilio')).toBe(401);
    expect((await twilio()).refused).toMatchObject({ count: 21, since: new Date(NOW).toISOString() });
    expect((await doctor('twilio webhooks'))?.detail).toMatch(/at least 21 requests were refused since/u);
  });

  it('makes one row for all providers and accounts that are not switched on', async () => {
    for (const target of ['vonage', 'nobody', '__proto__', 'standard/elsewhere', 'a%23b']) {
      expect(await post(target)).toBe(404);
      await hub.clock.runUntil(hub.clock.now() + MINUTE);
    }
    expect((await activityRows()).map(({ pk }) => pk)).toEqual(['channel#unknown']);
    expect((await shown()).unknown).toMatchObject({ count: 5, route: 'unknown', status: 404 });
    expect(await doctor('other webhooks')).toMatchObject({
      state: 'unknown',
      detail: expect.stringMatching(/at least 5 requests .*\n.*`channels` in hub\.yaml/u),
    });
  });

  it('is shown and kept for seven days', async () => {
    for (const day of [0, 3]) {
      await hub.clock.runUntil(NOW + day * DAY);
      expect(await post('twilio')).toBe(401);
    }
    expect((await twilio()).refused).toMatchObject({ count: 2, since: new Date(NOW).toISOString() });
    for (const { expiresAt } of await activityRows())
      expect(Number(expiresAt) * 1000 - NOW).toBeLessThanOrEqual(10 * DAY);
    await hub.clock.runUntil(NOW + 7 * DAY);
    expect((await twilio()).refused).toMatchObject({
      count: 1,
      since: new Date(NOW + 3 * DAY).toISOString(),
    });
    await hub.clock.runUntil(NOW + 10 * DAY);
    expect(await twilio()).toEqual({ channel: 'twilio' });
  });
});

it('a table that cannot be written changes no answer, and what was counted is written later', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  broken = /^dynamodb UpdateItem/u;
  expect(await post('twilio')).toBe(401);
  expect(await post('twilio', good)).toBe(200);
  expect(vi.mocked(console.warn).mock.calls.join()).toMatch(/unsaved-activity/u);
  broken = undefined;
  await hub.clock.runUntil(NOW + MINUTE);
  expect(await post('twilio')).toBe(401);
  expect((await twilio()).refused).toMatchObject({ count: 2 });
  vi.restoreAllMocks();
});
