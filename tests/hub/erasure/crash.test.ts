import { expect, it } from 'vitest';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';

const MINUTE = 60_000;
const [PHONE, MAIL] = ['phone:+14155550100', 'email:ada@example.com'];
const JOBS = /JobsFunction/u;
/** A job gives up after a few more. */
const LOST_PER_RUN = 4;
/** A read that is lost leaves what the loss of the next write leaves. */
const READ = /^(?:Get|BatchGet|Query|List)/u;

/** What is there of Ada once everything is quiet, besides what may stay. */
const leftOver = async (hub: TestHub): Promise<string[]> => {
  const rows = await hub.scan();
  const named = rows
    .filter((row) => /ada@example|4155550100/u.test(JSON.stringify(row)))
    .map(({ pk, sk }) => `${pk} ${sk}`);
  const profileIds = rows.filter(({ pk }) => pk.startsWith('customer#')).map(({ pk, sk }) => `${pk} ${sk}`);
  const crms = Object.entries(hub.crms.countRecords(new Set())).flatMap(([crm, objects]) =>
    Object.entries(objects).flatMap(([object, count]) => (count > 0 ? [`${crm} ${object} ${count}`] : [])),
  );
  return [...named, ...profileIds, ...crms];
};

/** Erases somebody with two source profiles; writes of the job that are lost end its function. */
const eraseLosing = async (lost: (call: number) => boolean) => {
  let calls = 0;
  let armed = false;
  const hub = await openTestHub({
    triggers: [],
    before(_service, operation, caller) {
      if (armed && JOBS.test(caller) && !READ.test(operation) && lost(++calls))
        throw new Error('the function is gone');
    },
  });
  try {
    hub.sendInteraction({ key: 'S1', identifiers: [PHONE], text: 'Hello' });
    hub.sendInteraction({ key: 'M1', identifiers: [MAIL], text: 'Hello' });
    await hub.wait(MINUTE);
    await hub.api('POST', '/commands', {
      command: 'merge',
      reason: 'the same person',
      keep: PHONE,
      other: MAIL,
    });
    await hub.wait(MINUTE);
    armed = true;
    const { id } = (await hub.api('POST', '/erasures', { customer: PHONE })).body;
    await hub.wait(12 * 60 * MINUTE);
    const { state } = (await hub.api('GET', `/erasures/${id}`)).body;
    return { state, calls, left: await leftOver(hub) };
  } finally {
    await hub.stop();
  }
};

it('ends in the same state at whichever write the job is interrupted', async () => {
  const whole = await eraseLosing(() => false);
  expect(whole).toMatchObject({ state: 'succeeded', left: [] });
  expect(whole.calls).toBeGreaterThan(25);
  // Each run loses calls that lie so far apart that the job makes progress between them.
  const runs = Math.ceil(whole.calls / LOST_PER_RUN);
  for (let run = 1; run <= runs; run++) {
    const lost = new Set(Array.from({ length: LOST_PER_RUN }, (_, at) => run + at * runs));
    const broken = await eraseLosing((number) => lost.delete(number));
    expect(broken, `lost the calls ${run}, and those ${runs} apart`).toMatchObject({
      ...{ state: 'succeeded', left: [] },
    });
  }
}, 120_000);

it('continues when it is resumed after its job failed', async () => {
  let broken = true;
  const hub = await openTestHub({
    triggers: [],
    before(service, operation, caller) {
      if (broken && JOBS.test(caller) && service === 'events' && operation === 'DeleteArchive')
        throw new Error('no');
    },
  });
  try {
    hub.sendInteraction({ key: 'S1', identifiers: [PHONE] });
    await hub.wait(MINUTE);
    const { id } = (await hub.api('POST', '/erasures', { customer: PHONE })).body;
    await hub.wait(12 * 60 * MINUTE);
    expect((await hub.api('GET', `/erasures/${id}`)).body).toMatchObject({ state: 'failed' });
    broken = false;
    expect((await hub.api('POST', `/erasures/${id}/resume`)).status).toBe(202);
    await hub.wait(60 * MINUTE);
    expect((await hub.api('GET', `/erasures/${id}`)).body).toMatchObject({ state: 'succeeded' });
    expect((await hub.api('POST', `/erasures/${id}/resume`)).status).toBe(200);
    expect(await leftOver(hub)).toEqual([]);
  } finally {
    await hub.stop();
  }
});
