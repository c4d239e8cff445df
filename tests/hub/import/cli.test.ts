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
    const list = file('people.csv', `Address,name,language\n${rows.join('\n')}\n`);
    const first = await cli('import', 'customers', list, '--map', 'Address=email');
    expect(first.output).toContain('1 rows imported, 2 refused');
    expect(first.code).toBe(1);
    expect(await customer('email:ada@example.com')).toMatchObject({ name: { full: 'Ada' } });
    const refused = join(folder, 'people.refused.csv');
    const text = readFileSync(refused, 'utf8');
    expect(text.split('\n')).toEqual([
      '\ufeffrefused.line,refused.reason,Address,name,language',
      expect.stringMatching(/^3,.*email: it is not an e-mail address,unknown,Nobody,$/),
      expect.stringMatching(/^4,language: .*,bob@example.com,Bob,xx-not-a-language-tag$/),
      '',
    ]);
    const corrected = text.replace(',unknown,', ',eve@example.com,').replace('xx-not-a-language-tag', 'de');
    writeFileSync(refused, corrected);
    const second = await cli('import', 'customers', refused, '--map', 'Address=email');
    expect(second).toMatchObject({ code: 0, output: expect.stringContaining('2 rows imported, 0 refused') });
    expect(await customer('email:bob@example.com')).toMatchObject({ language: 'de' });
  }, 120_000);

  it('reports in a dry run the lines that the import then reports', async () => {
    const rows = [
      'cy@example.com,3.93332E+11',
      '"di@example.com; dj@example.com",NULL',
      ',n/a',
      'em@example.com,',
    ];
    const list = file('excel.csv', `sep=,\nE-Mail,Mobile\n${rows.join('\n')}\n`);
    const dry = await cli('import', 'customers', list, '--dry-run');
    const real = await cli('import', 'customers', list);
    const reasons = [
      '  1 taken without phone: a spreadsheet has shortened the number and its last digits are lost; take it from the original (line 3)',
      '  1 refused: the row names no customer: email, phone, user-id and identifier are all empty (line 5)',
    ].join('\n');
    expect(dry.output).toContain(`3 rows valid (1 without all their values), 1 refused\n${reasons}\n`);
    expect(real.output).toContain(`3 rows imported (1 without all their values), 1 refused\n${reasons}\n`);
    const saved = (name: string): string => readFileSync(join(folder, name), 'utf8');
    expect(saved('excel.refused-2.csv')).toBe(saved('excel.refused.csv'));
    expect(await customer('email:dj@example.com')).toMatchObject({
      identifiers: ['email:di@example.com', 'email:dj@example.com'],
    });
  }, 60_000);

  it('reports the faults of the whole file before anything is uploaded', async () => {
    const importJobs = async (): Promise<number> =>
      (await cli('jobs', 'list')).output.split('import-customers').length;
    const before = await importJobs();
    const columns = await cli('import', 'customers', file('a.csv', 'Fax,name\na@b.example,A\n'));
    expect(columns).toMatchObject({ code: 1, output: expect.stringMatching(/"Fax".*email, phone.*--map/s) });
    const sheet = await cli('import', 'customers', file('b.csv', 'PK\x03\x04'));
    expect(sheet).toMatchObject({ code: 1, output: expect.stringContaining('CSV UTF-8') });
    const absent = await cli('import', 'customers', join(folder, 'c.csv'));
    expect(absent).toMatchObject({ code: 1, output: expect.stringMatching(/c\.csv cannot be read/) });
    expect(await importJobs()).toBe(before);
  }, 60_000);
});
