import { prices } from '../../../../cli/deployment/cost/prices.ts';
import { HubConfig } from '../../../../core/config/hub-config.ts';
import { instant } from '../../../../core/interaction/interaction.ts';
import { Trigger } from '../../../../core/triggers/trigger.ts';
import { history } from '../../../../functions/aws/customers/history.ts';
import { lists, placesOfPart } from '../../../../functions/aws/customers/lists/lists.ts';
import { zones } from '../../../../functions/aws/customers/lists/zones.ts';
import { audiences } from '../../../../functions/aws/triggers/audiences.ts';
import { identifierKey } from '../../../../functions/contracts/keys.ts';
import { ownerOf } from '../../../../functions/contracts/rows/people.ts';
import { lookJob } from '../../../../functions/jobs/looks/look.ts';
import { openTestTable, type Spent } from '../../../support/open-test-table.ts';
import type { Measured } from '../measured.ts';
import { recorder, said } from '../record.ts';

const PERSONS = 2000;
const MILLION = 1e6;
/** As many persons at a time as a batch of `record` takes. */
const BATCH = 500;
const DAY_MS = 86_400_000;
const LOOK = Date.parse('2026-03-02T09:00:00Z');

const trigger = Trigger.parse({
  ...{ id: 'win-back', category: 'marketing', each: { day: '10:00' } },
  where: [{ count: { kind: ['order'] }, within: '60d', exactly: 0 }],
  send: { channels: ['email'], template: 't' },
});

const phoneOf = (at: number): string => `phone:+39333${1_000_000 + at}`;

/** The days on which each of them wrote. */
const DAYS = ['2026-02-01', '2026-02-14', '2026-03-01'];

/** Requests, units and dollars of a daily look at a million persons, each with a history, scaled from two thousand. */
export const benchLooks = async (): Promise<Measured[]> => {
  const table = await openTestTable();
  const use = recorder(table);
  for (let start = 0; start < PERSONS; start += BATCH)
    await use(
      Array.from({ length: BATCH }, (_, at) =>
        DAYS.map((day) =>
          said(`${start + at} ${day}`, [phoneOf(start + at)], {
            occurredAt: `${day}T09:00:00.000Z`,
          }),
        ),
      ).flat(),
    );
  const rows = table.rows;
  const people = history(rows);
  const owners = await rows.get(Array.from({ length: PERSONS }, (_, at) => identifierKey(phoneOf(at))));
  const ids = owners.map((row) => ownerOf(row).profileId);
  await lists(
    rows,
    table.runtime,
  )({ customers: await people.customers(ids), interactions: [], notifications: [] });
  let published = 0;
  let now = LOOK;
  const job = lookJob({
    audiences: audiences(rows),
    triggers: {
      current: async () => ({ version: 1, paused: false, digest: '' }),
      version: async () => ({ trigger, templates: {} }),
    },
    zones: zones(placesOfPart(rows)),
    history: people,
    hub: async () => HubConfig.parse({}),
    publish: async (events) => {
      published += events.length;
      return events.map(() => true);
    },
    now: () => now,
  });
  const look = async (day: number): Promise<Spent & { readonly cpuMs: number }> => {
    const to = LOOK + day * DAY_MS;
    now = to;
    const { checkpoint } = await job.start({ trigger: trigger.id, from: '', to: '' });
    table.takeSpent();
    const before = process.cpuUsage();
    const { counts } = await job.slice({
      ...{ job: 'look', by: 'bench', startedAt: instant(to), timeLeft: () => true, checkpoint },
      parameters: { trigger: trigger.id, from: instant(to - DAY_MS), to: instant(to) },
    });
    const { user, system } = process.cpuUsage(before);
    if (counts?.['looked'] !== PERSONS) throw new Error(`The look saw ${counts?.['looked']} persons.`);
    return { ...table.takeSpent(), cpuMs: (user + system) / 1000 };
  };
  const first = await look(0);
  if (published !== PERSONS) throw new Error(`${published} persons entered.`);
  const next = await look(1);
  // Their last interactions are out of the window of the conditions.
  const silent = await look(100);
  return [
    ...measured('at which everybody enters', first, PERSONS),
    ...measured('at which nobody does', next, 0),
    ...measured('who are all silent', silent, 0),
  ];
};

const measured = (
  what: string,
  { requests, readUnits, writeUnits, cpuMs }: Spent & { readonly cpuMs: number },
  events: number,
): Measured[] => {
  const scale = MILLION / PERSONS;
  const { dynamodbReadUnit, dynamodbWriteUnit, event } = prices.perMillion;
  const dollars =
    ((readUnits * dynamodbReadUnit + writeUnits * dynamodbWriteUnit + events * event) / MILLION) * scale;
  const name = `a daily look at a million persons ${what}`;
  return [
    { name: `DynamoDB requests of ${name}`, measured: (requests * scale) / MILLION, unit: 'million' },
    { name: `DynamoDB and EventBridge list cost of ${name}`, measured: dollars, unit: '$' },
    {
      name: `processor time of ${name}, with the local DynamoDB on the same core`,
      ...{ measured: (cpuMs * scale) / 60_000, unit: 'min', timed: true },
    },
  ];
};
