import { afterEach, beforeEach, expect, it } from 'vitest';
import { valueDigest } from '../../../core/crm/change.ts';
import { applyChanges } from '../../../functions/sync/changes/changes.ts';
import { type CaseHub, caseHub } from './case-worker.ts';

const HOUR_MS = 3_600_000;
let hub: CaseHub;

beforeEach(async () => {
  hub = await caseHub();
  hub.person('ada');
});
afterEach(() => hub.sandbox.stop());

const later = (milliseconds: number): void => {
  hub.clock.now += milliseconds;
};
const said = (...texts: string[]): string[] => texts.map((text) => `email inbound: ${text}`);

it('the shipped mapping makes one case of a conversation, with work notes, and closes it', async () => {
  expect(await hub.work(hub.say('ada', 'Broken'))).toBe(0);
  later(60_000);
  await hub.work(hub.say('ada', 'Hello?'));
  later(60_000);
  await hub.work(hub.say('ada', 'We look at it', { direction: 'outbound' }));
  expect(hub.inCrm()).toEqual({
    cases: [{ title: 'Broken', state: '1' }],
    notes: [...said('Hello?'), 'email outbound: We look at it'],
  });
  hub.close('ada');
  await hub.work('ada');
  expect(hub.inCrm().cases).toEqual([{ title: 'Broken', state: '3' }]);
  later(60_000);
  await hub.work(hub.say('ada', 'Broken again'));
  expect(hub.inCrm().cases).toHaveLength(2);
  expect(hub.failures).toEqual([]);
});

it('several workers with the same messages in any order make one case, and each message once', async () => {
  await hub.work('ada');
  const first = hub.say('ada', 'Broken');
  later(1000);
  const others = ['Hello?', 'Hello?', 'Anybody?'].map((text) => {
    later(1000);
    return hub.say('ada', text);
  });
  const all = [first, ...others];
  for (let round = 0; round < 6; round++)
    await Promise.all([hub.work(...all.toReversed()), hub.work(...all), ...all.map((one) => hub.work(one))]);
  const { cases, notes } = hub.inCrm();
  expect(cases).toHaveLength(1);
  // Whichever message came first began the case; the others are its notes.
  expect(notes).toHaveLength(3);
});

it.each(['before', 'after'] as const)(
  'a worker that ended %s the CRM had the message leaves it once there, beside an equal one',
  async (when) => {
    await hub.work(hub.say('ada', 'Broken'));
    later(1000);
    await hub.work(hub.say('ada', 'Hello?'));
    later(1000);
    const again = hub.say('ada', 'Hello?');
    const { session, ports } = hub;
    const ends = Promise.reject(new Error('The worker ended.'));
    ends.catch(() => {});
    const dying = {
      ...session,
      async addChildren(...call: Parameters<typeof session.addChildren>) {
        if (when === 'after') await session.addChildren(...call);
        return ends;
      },
    };
    Object.assign(ports, { open: async () => dying });
    expect(await hub.work(again)).toBe(1);
    Object.assign(ports, { open: async () => session });
    expect(await hub.work(again)).toBe(0);
    expect(await hub.work(again)).toBe(0);
    expect(hub.inCrm().notes).toEqual(said('Hello?', 'Hello?'));
  },
);

it('a case of which it is not known whether it was made is made by the next message, also if the first never comes again', async () => {
  await hub.work('ada');
  const broken = hub.say('ada', 'Broken');
  const { session, ports } = hub;
  const lost = async (...call: Parameters<typeof session.upsert>) => {
    await session.upsert(...call);
    throw new Error('The worker ended.');
  };
  Object.assign(ports, {
    open: async () => ({
      ...session,
      upsert: (...call: Parameters<typeof session.upsert>) =>
        call[0] === 'sn_customerservice_case' ? lost(...call) : session.upsert(...call),
    }),
  });
  expect(await hub.work(broken)).toBe(1);
  Object.assign(ports, { open: async () => session });
  later(1000);
  expect(await hub.work(hub.say('ada', 'Hello?'))).toBe(0);
  expect(hub.inCrm()).toEqual({ cases: [{ title: 'Broken', state: '1' }], notes: said('Hello?') });
});

it('the end of a conversation leaves the case of an earlier one open, which nobody has closed', async () => {
  await hub.work(hub.say('ada', 'Broken'));
  later(1000);
  await hub.work(hub.say('ada', 'Repaired', { direction: 'outbound' }));
  later(100 * HOUR_MS);
  await hub.work(hub.say('ada', 'Another thing'));
  later(1000);
  hub.close('ada');
  await hub.work('ada');
  expect(hub.inCrm().cases).toEqual([
    { title: 'Broken', state: '1' },
    { title: 'Another thing', state: '3' },
  ]);
});

it('a worker that vanished keeps others from its cases for a while, and no longer', async () => {
  await hub.work(hub.say('ada', 'Broken'));
  const [row] = [...(await hub.cases.load(['ada'])).values()];
  if (row === undefined) throw new Error('There is no row.');
  await hub.cases.save('ada', { ...row, reservedUntil: hub.clock.now + 900_000 });
  later(1000);
  const message = hub.say('ada', 'Hello?');
  expect(await hub.work(message)).toBe(1);
  later(900_000);
  expect(await hub.work(message)).toBe(0);
  expect(hub.inCrm().notes).toEqual(said('Hello?'));
});

it('a case that somebody deleted gets nothing any more, which is no failure', async () => {
  await hub.work(hub.say('ada', 'Broken'));
  for (const { id } of hub.sandbox.records('sn_customerservice_case'))
    hub.sandbox.staff.delete('sn_customerservice_case', { sys_id: id });
  later(1000);
  expect(await hub.work(hub.say('ada', 'Hello?'))).toBe(0);
  expect(await hub.work(hub.say('ada', 'Anybody?'))).toBe(0);
  expect(hub.inCrm()).toEqual({ cases: [], notes: [] });
  expect(hub.failures).toEqual([]);
});

it('what is over makes no case: a conversation that was closed, or ended by silence', async () => {
  const closed = hub.say('ada', 'Thanks, it works');
  later(1000);
  hub.close('ada');
  hub.person('bob');
  const answered = [hub.say('bob', 'Broken'), hub.say('bob', 'Repaired', { direction: 'outbound' })];
  later(100 * HOUR_MS);
  expect(await hub.work(closed, ...answered)).toBe(0);
  expect(hub.inCrm().cases).toEqual([]);
});

it('who still waits for an answer is in the same conversation, however long ago it began', async () => {
  await hub.work(hub.say('ada', 'Broken'));
  later(200 * HOUR_MS);
  await hub.work(hub.say('ada', 'Still waiting'));
  expect(hub.inCrm()).toEqual({ cases: [{ title: 'Broken', state: '1' }], notes: said('Still waiting') });
});

it('a case that the CRM closes ends the conversation here, once, and is not closed there again', async () => {
  const broken = hub.say('ada', 'Broken');
  await hub.work(broken);
  const [record] = hub.sandbox.records('sn_customerservice_case');
  later(1000);
  const report = hub.say('ada', '', {
    ...{ kind: 'crm-record', provider: 'servicenow', channel: 'crm', direction: 'system' },
    ...{
      externalId: record?.id ?? '',
      properties: { record: 'sn_customerservice_case', set: { state: '6' } },
    },
  });
  await hub.work(report);
  await hub.work(report);
  expect(hub.commands).toMatchObject([
    {
      command: 'close',
      customer: expect.stringMatching(/^servicenow:/u),
      by: 'ServiceNow',
      at: report.occurredAt,
    },
  ]);
  expect(hub.inCrm().cases).toEqual([{ title: 'Broken', state: '1' }]);
});

it('a case that an agent opens again takes messages again, whatever comes late', async () => {
  await hub.work(hub.say('ada', 'Broken'));
  const [record] = hub.sandbox.records('sn_customerservice_case');
  const report = (state: string) => {
    later(60_000);
    return hub.say('ada', '', {
      ...{ kind: 'crm-record', provider: 'servicenow', channel: 'crm', direction: 'system' },
      ...{ externalId: record?.id ?? '', properties: { set: { state } } },
    });
  };
  const [closed, opened] = [report('6'), report('10')];
  await hub.work(opened);
  await hub.work(closed);
  later(1000);
  await hub.work(hub.say('ada', 'Not yet'));
  expect(hub.commands).toEqual([]);
  expect(hub.inCrm()).toMatchObject({ cases: [{ title: 'Broken' }], notes: said('Not yet') });
});

it('what ServiceNow reports of a case is read; what the hub wrote is no news', async () => {
  await hub.work(hub.say('ada', 'Broken'));
  later(60_000);
  const agent = (state: string) =>
    hub.sandbox.staff.update('sn_customerservice_case', { short_description: 'Broken' }, { state });
  agent('6');
  await hub.report();
  expect(hub.reported.map(({ interaction }) => [interaction.kind, interaction.properties])).toEqual([
    ['crm-record', { record: 'sn_customerservice_case', act: 'changed', set: { state: '6' } }],
  ]);
  agent('1');
  later(60_000);
  hub.close('ada');
  await hub.work('ada');
  await hub.report();
  expect(hub.inCrm().cases).toEqual([{ title: 'Broken', state: '3' }]);
  expect(hub.reported).toHaveLength(1);
});

it('a field that an agent changes right after the case was made is news; what the hub wrote is none, however late', async () => {
  await hub.work(hub.say('ada', 'Broken'));
  await hub.report();
  const [{ id = '' } = {}] = hub.sandbox.records('sn_customerservice_case');
  const tell = (title: string) =>
    applyChanges(hub.ports)([
      {
        id: '0',
        message: {
          change: {
            ...{ object: 'sn_customerservice_case', id, act: 'changed', at: hub.at(), merged: [] },
            fields: { short_description: valueDigest(title) },
          },
        },
      },
    ]);
  later(1000);
  hub.sandbox.staff.update(
    'sn_customerservice_case',
    { short_description: 'Broken' },
    { short_description: 'Wet' },
  );
  await tell('Wet');
  expect(hub.reported.map(({ interaction }) => interaction.properties)).toEqual([
    { record: 'sn_customerservice_case', act: 'changed', set: { short_description: 'Wet' } },
  ]);
  later(60_000);
  await tell('Broken');
  expect(hub.reported).toHaveLength(1);
});

it('a message that ServiceNow itself reports is in the case already', async () => {
  await hub.work(hub.say('ada', 'Broken'));
  later(1000);
  await hub.work(
    hub.say('ada', 'Comment of an agent', { provider: 'servicenow', kind: 'echo', direction: 'outbound' }),
  );
  expect(hub.inCrm().notes).toEqual([]);
});
