import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { OBJECTS, open, send } from './open.ts';

describe('faults', () => {
  it.each([
    [{ kind: 'missing-scope', object: 'contacts' }, 403, { category: 'MISSING_SCOPES' }],
    [{ kind: 'login-refused' }, 401, { category: 'INVALID_AUTHENTICATION' }],
    [{ kind: 'down' }, 503, {}],
    [{ kind: 'rate-limited' }, 429, { policyName: 'TEN_SECONDLY_ROLLING' }],
    [{ kind: 'daily-limit' }, 429, { policyName: 'DAILY' }],
    [{ kind: 'row-lock' }, 423, { category: 'LOCKED' }],
    [{ kind: 'migration' }, 477, {}],
    [
      { kind: 'missing-field', object: 'contacts', field: 'firstname' },
      400,
      { category: 'VALIDATION_ERROR' },
    ],
  ] as const)('%o', async (fault, status, shape) => {
    const { sandbox } = await open();
    const write = () => send(sandbox, 'POST', `${OBJECTS}/contacts`, { properties: { firstname: 'Ada' } });
    const end = sandbox.fault(fault);
    expect(await write()).toMatchObject({ status, body: { status: 'error', ...shape } });
    end();
    expect((await write()).status).toBe(201);
    sandbox.fault({ ...fault, times: 1 });
    expect((await write()).status).toBe(status);
    expect((await write()).status).toBe(201);
  });

  it('lost-response: the write is done and nobody hears of it', async () => {
    const { sandbox, events } = await open();
    sandbox.fault({ kind: 'lost-response', times: 1 });
    await expect(
      send(sandbox, 'POST', `${OBJECTS}/contacts`, { properties: { email: 'ada@example.com' } }),
    ).rejects.toThrow();
    expect(sandbox.records('contacts')).toMatchObject([{ fields: { email: 'ada@example.com' } }]);
    expect(events()).toHaveLength(2);
  });

  it('html with status 200', async () => {
    const { sandbox } = await open();
    sandbox.fault({ kind: 'html', times: 1 });
    expect(await send(sandbox, 'GET', `${OBJECTS}/contacts`)).toMatchObject({
      status: 200,
      body: expect.stringContaining('<!doctype html>'),
    });
  });

  it('slow: a client that waits a moment has no answer', async () => {
    const { sandbox } = await open({ slowness: 60_000 });
    sandbox.fault({ kind: 'slow' });
    await expect(
      fetch(`${sandbox.url}${OBJECTS}/contacts`, { signal: AbortSignal.timeout(50) }),
    ).rejects.toThrow();
  });

  it('are put in force over HTTP, as records are made', async () => {
    const { sandbox } = await open();
    const fields = { email: 'ada@example.com' };
    const made = await send(sandbox, 'POST', '/sandbox/records', { object: 'contacts', fields });
    expect(sandbox.records('contacts')[0]?.id).toBe(made.body.id);
    expect((await send(sandbox, 'POST', '/sandbox/records', { object: 'contacts', fields })).status).toBe(
      400,
    );
    await send(sandbox, 'POST', '/sandbox/fault', { kind: 'down' });
    expect((await send(sandbox, 'GET', `${OBJECTS}/contacts`)).status).toBe(503);
    await send(sandbox, 'DELETE', '/sandbox/faults');
    expect((await send(sandbox, 'GET', `${OBJECTS}/contacts`)).status).toBe(200);
    expect((await send(sandbox, 'POST', '/sandbox/fault', { kind: 'earthquake' })).status).toBe(400);
  });
});

it('remembers everything over a restart', async () => {
  const db = new DatabaseSync(':memory:');
  const first = (await open({}, db)).sandbox;
  const keep = first.seed('contacts', { email: 'ada@example.com' });
  const other = first.seed('contacts', { email: 'eve@example.com' });
  const note = first.seed('notes', { hs_timestamp: '1772366400000' });
  await send(first, 'PUT', `/crm/v4/objects/notes/${note}/associations/default/contacts/${other}`);
  first.staff.merge('contacts', { id: keep }, { id: other });
  const second = (await open({}, db)).sandbox;
  const { body } = await send(second, 'GET', `${OBJECTS}/contacts/${keep}`);
  expect(second.associated('contacts', body.id, 'notes')).toEqual([note]);
  expect(
    (await send(second, 'POST', `${OBJECTS}/contacts`, { properties: { email: 'eve@example.com' } })).status,
  ).toBe(409);
});
