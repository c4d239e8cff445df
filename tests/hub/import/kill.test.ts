import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import * as z from 'zod';

let folder: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hub-import-kill-'));
});
afterEach(async () => {
  if (child) await kill(child);
  rmSync(folder, { recursive: true, force: true });
});

const Opened = z.object({ url: z.string(), key: z.string() });
const Job = z.looseObject({
  id: z.string(),
  state: z.string(),
  progress: z.object({ done: z.number(), refused: z.number() }),
  upload: z.object({ url: z.string() }).optional(),
});

/** `ahead`: by how many milliseconds its clock is put forward, past what the killed one had taken. */
const born = async (ahead: number) => {
  const hub = fork(
    new URL('./hub-child.ts', import.meta.url),
    [join(folder, 'state.sqlite'), String(ahead)],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  child = hub;
  const [message] = await once(hub, 'message');
  const { url, key } = Opened.parse(message);
  const ask = async (method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    return Job.parse(await answer.json());
  };
  return { hub, ask };
};

const kill = async (hub: ChildProcess): Promise<void> => {
  if (hub.exitCode !== null || hub.signalCode !== null) return;
  const ended = once(hub, 'exit');
  hub.kill('SIGKILL');
  await ended;
};

/** More than the job puts on its queue at once, so that a part of the file waits at the checkpoint. */
const PEOPLE = 1100;
/** Looking without a pause would take the machine from the hub. */
const LOOK_MS = 150;
const QUARTER_HOUR = 900_000;

it('an import continues from its checkpoint after the whole hub is killed, and imports every row once', async () => {
  const rows = Array.from({ length: PEOPLE }, (_, n) => `p${n}@example.com,P ${n}\n`);
  const first = await born(0);
  const asked = { kind: 'import-customers', parameters: { format: 'csv' } };
  const { id, upload } = await first.ask('POST', '/jobs', asked);
  const file = `email,name\n${rows.join('')}bad,row,here\n`;
  await (await fetch(upload?.url ?? '', { method: 'PUT', body: file })).arrayBuffer();
  await first.ask('POST', `/jobs/${id}/start`);
  const profiles = (): number => {
    const db = new DatabaseSync(join(folder, 'state.sqlite'), { readOnly: true });
    try {
      const count = db.prepare(
        `SELECT count(*) AS n FROM dynamodb_items WHERE item LIKE '%"sk":{"S":"profile"}%'`,
      );
      return Number(count.get()?.['n']);
    } finally {
      db.close();
    }
  };
  // Killed once a part of the rows is recorded.
  let killedAt = 0;
  for (const [life, share] of [0.1, 0.4].entries()) {
    const hub = life === 0 ? first : await born(life * QUARTER_HOUR);
    while (profiles() < PEOPLE * share) await setTimeout(LOOK_MS);
    await kill(hub.hub);
    killedAt = profiles();
  }
  expect(killedAt).toBeLessThan(PEOPLE);
  const last = await born(2 * QUARTER_HOUR);
  let job = await last.ask('GET', `/jobs/${id}`);
  while (job.state === 'running' || job.state === 'queued') {
    await setTimeout(LOOK_MS);
    job = await last.ask('GET', `/jobs/${id}`);
  }
  expect(job).toMatchObject({ state: 'succeeded', progress: { done: PEOPLE, refused: 1 } });
  expect(profiles()).toBe(PEOPLE);
}, 180_000);
