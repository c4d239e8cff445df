import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, openHub, readApiKey } from '../../../infra/scenario/hub/open-hub.ts';

let hub: Hub;
let folder: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hub-import-'));
  const publicUrl = 'https://acme.example';
  hub = await openHub({ port: 0, publicUrl, state: join(folder, 'state.sqlite') }, () => {});
  env = { PATH: process.env['PATH'], HUB_URL: hub.apiUrl, HUB_KEY: await readApiKey(hub) };
}, 60_000);
afterAll(async () => {
  await hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the command as a process of its own; `output` is stdout and stderr together. */
const cli = async (...args: readonly string[]): Promise<{ code: number | null; output: string }> => {
  const child = spawn(process.execPath, ['cli/hub.ts', ...args], { env });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output: Buffer.concat(output).toString() };
};
const file = (name: string, text: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const customer = async (identifier: string): Promise<unknown> => {
  const response = await fetch(`${hub.apiUrl}/customers?identifier=${encodeURIComponent(identifier)}`, {
    headers: { authorization: `Bearer ${env['HUB_KEY']}` },
  });
  return response.json();
};

describe('hub import', () => {
  it('imports a list, saves the refused rows, and imports them after their correction', async () => {
    const rows = ['ada@example.com,Ada,it', 'unknown,Nobody,', 'bob@example.com,Bob,xx-not-a-language-tag'];
    const list = file('people.csv', `Mail,name,language\n${rows.join('\n')}\n`);
    const first = await cli('import', 'customers', list, '--map', 'Mail=email');
    expect(first.output).toContain('1 rows imported, 2 refused');
    expect(first.code).toBe(1);
    expect(await customer('email:ada@example.com')).toMatchObject({ name: { full: 'Ada' } });
    const refused = join(folder, 'people.refused.csv');
    const text = readFileSync(refused, 'utf8');
    expect(text.split('\n')).toEqual([
      'refused.line,refused.reason,Mail,name,language',
      expect.stringMatching(/^3,.*blocked.*,unknown,Nobody,$/),
      expect.stringMatching(/^4,language: .*,bob@example.com,Bob,xx-not-a-language-tag$/),
      '',
    ]);
    const corrected = text.replace(',unknown,', ',eve@example.com,').replace('xx-not-a-language-tag', 'de');
    writeFileSync(refused, corrected);
    const second = await cli('import', 'customers', refused, '--map', 'Mail=email');
    expect(second).toMatchObject({ code: 0, output: expect.stringContaining('2 rows imported, 0 refused') });
    expect(await customer('email:bob@example.com')).toMatchObject({ language: 'de' });
  }, 120_000);

  it('reports the faults of the whole file before anything is uploaded', async () => {
    const columns = await cli('import', 'customers', file('a.csv', 'Mail,name\na@b.example,A\n'));
    expect(columns).toMatchObject({ code: 1, output: expect.stringMatching(/"Mail".*email, phone.*--map/s) });
    const latin = await cli(
      'import',
      'customers',
      file('b.csv', Buffer.from('email,name\na@b.example,Zoë\n', 'latin1')),
    );
    expect(latin).toMatchObject({ code: 1, output: expect.stringContaining('CSV UTF-8') });
    const absent = await cli('import', 'customers', join(folder, 'c.csv'));
    expect(absent).toMatchObject({ code: 1, output: expect.stringMatching(/c\.csv cannot be read/) });
    const jobs = await cli('jobs', 'list');
    expect(jobs.output.split('\n').filter((line) => line.includes('import-customers')).length).toBe(2);
  }, 60_000);
});
