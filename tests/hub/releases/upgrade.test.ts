import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { stages } from '../../../functions/contracts/stages/index.ts';
import { scanTable } from '../../../infra/scenario/hub/scan-table.ts';
import { openUpgraded } from './load.ts';
import { type Release, readRelease, storedReleases } from './release.ts';
import type { ReleaseHub } from './release-hub.ts';
import { attributesOf, rowKindOf, schemaOf } from './row-kinds.ts';

const HOUR_MS = 3_600_000;
const ADA = 'phone:+14155550100';

let hub: ReleaseHub | undefined;
afterEach(async () => {
  await hub?.stop();
  hub = undefined;
});

const found = async ({ api }: ReleaseHub, identifier: string) =>
  api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`);

/** The failures that the stories of the release did not have: its own are unreadable messages and a refused command. */
const ownFailures = async ({ api }: ReleaseHub): Promise<object[]> => {
  const { items } = await api('GET', '/failures?limit=100');
  const all = await Promise.all(items.map(({ id }: { id: string }) => api('GET', `/failures/${id}`)));
  return all
    .filter(({ payload }) => !/unreadable|in vain|nobody-at-all/u.test(JSON.stringify(payload)))
    .map(({ stage, code, reason }) => ({ stage, code, reason }));
};

/** Opens the hub with a state, runs a day of stories on top, and expects what they lead to. */
const runDay = async (release: Release): Promise<ReleaseHub> => {
  const opened = await openUpgraded(release);
  hub = opened;
  const { api, wait, act, cloud, crms, command } = opened;
  const before = await found(opened, ADA);
  act('after-upgrade', [ADA], { text: 'Are you still there?' });
  act('first-contact', ['phone:+14155550199']);
  act('order-ada', ['email:ada@example.com'], {
    ...{ kind: 'order', channel: 'web', properties: { order: '99', status: 'paid', total: 20 } },
  });
  await command('consent', { customer: ADA, channel: 'sms', status: 'denied' });
  await wait(3 * HOUR_MS);
  const ada = await found(opened, ADA);
  expect(ada.id).toBe(before.id);
  expect(ada.consent.sms.status).toBe('denied');
  const { items: timeline } = await api('GET', `/customers/${ada.id}/timeline?limit=100`);
  const texts = timeline.map(({ text }: { text?: string }) => text);
  expect(texts).toEqual(expect.arrayContaining(['Text of hello-ada', 'Are you still there?']));
  // What waited when the release was replaced is decided and sent, and what it parked is written.
  const mails = cloud.sentMessages.list().filter(({ to }) => to.includes('ada@example.com'));
  expect(mails.length).toBeGreaterThan(0);
  const contacts = crms.hubspot.records('contacts').map(({ fields }) => fields['email']);
  expect(contacts).toContain('ida@example.com');
  // The erasure that was under way is done.
  const { items: erasures } = await api('GET', '/erasures');
  expect(erasures.map(({ finishedAt }: { finishedAt?: string }) => finishedAt !== undefined)).toEqual([
    true,
    true,
  ]);
  for (const list of ['/reviews', '/jobs', '/connections', '/figures', '/customers?recent'])
    await api('GET', list);
  expect(await ownFailures(opened)).toEqual([]);
  return opened;
};

const schemasOf = ({ schemas }: Release): ReadonlyMap<string, z.core.JSONSchema.JSONSchema> =>
  new Map(schemas.map(({ of, schema }) => [of, schema]));

describe.each(storedReleases())('after release %s', (name) => {
  const release = readRelease(name);
  const schemas = schemasOf(release);

  it('works with its rows, messages, timers and files, and leaves rows that it can read again', async () => {
    const opened = await runDay(release);
    const readers = new Map<string, z.ZodType>();
    const faults = new Set<string>();
    for (const row of await scanTable(opened.runtime)) {
      const kind = rowKindOf(row);
      const schema = schemas.get(`row ${kind}`);
      if (schema === undefined) continue;
      const reader = readers.get(kind) ?? z.fromJSONSchema(withMembersAdded(schema));
      readers.set(kind, reader);
      const { error } = reader.safeParse(attributesOf(row));
      if (error !== undefined) faults.add(`${kind}: ${z.prettifyError(error)}`);
    }
    expect([...faults]).toEqual([]);
  });

  it('reads rows and messages with members that a later release has added, and keeps them', () => {
    // The figures are a map of numbers, not an object with members.
    for (const row of release.rows.filter((one) => rowKindOf(one) !== 'figures')) {
      const attributes = grown(schemas.get(`row ${rowKindOf(row)}`), attributesOf(row));
      expect(schemaOf(row).safeParse(attributes), `${row.pk} ${row.sk}`).toMatchObject({
        success: true,
        data: LATER,
      });
    }
    const readable = release.messages.flatMap(({ queue, body }) =>
      Object.values(stages)
        .filter(({ schema }) => schema.safeParse(JSON.parse(body)).success)
        .map(({ schema }) => ({ queue, body, schema })),
    );
    expect(readable.length).toBeGreaterThan(50);
    for (const { queue, body, schema } of readable)
      expect(schema.safeParse(JSON.parse(grownText(body))), queue).toMatchObject({
        success: true,
        data: LATER,
      });
  });
});

/** A schema that takes members which a later release has added, as every release after the first one does. */
const withMembersAdded = (schema: z.core.JSONSchema.JSONSchema): z.core.JSONSchema.JSONSchema =>
  JSON.parse(
    JSON.stringify(schema, (key, value) =>
      key === 'additionalProperties' && value === false ? undefined : value,
    ),
  );

const LATER = { addedLater: { by: ['a later release'] } };

/** A message with a member more, also in the interaction that it carries. */
const grownText = (body: string): string => {
  const message = z.looseObject({}).parse(JSON.parse(body));
  const inner = z.looseObject({}).safeParse(message['interaction']).data;
  return JSON.stringify({ ...message, ...LATER, ...(inner && { interaction: { ...inner, ...LATER } }) });
};

/** A value with a member more in each of its objects whose members a schema names. */
const grown = (schema: unknown, value: unknown): object => {
  const Described = z.looseObject({
    properties: z.record(z.string(), z.unknown()).optional(),
    items: z.unknown().optional(),
  });
  const walk = (of: unknown, one: unknown): unknown => {
    const { properties, items } = Described.safeParse(of).data ?? {};
    if (Array.isArray(one)) return one.map((element) => walk(items, element));
    if (typeof one !== 'object' || one === null || properties === undefined) return one;
    const members = Object.entries(one).map(([key, member]) => [key, walk(properties[key], member)]);
    return { ...Object.fromEntries(members), ...LATER };
  };
  return { ...z.looseObject({}).parse(walk(schema, value)), ...LATER };
};
