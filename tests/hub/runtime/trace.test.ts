import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('HUB_TRACE=1 prints the hops of each message through the functions that npm start runs', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['cli/local/start.ts', '--exit'], {
    env: { PATH: process.env['PATH'], HUB_TRACE: '1' },
    maxBuffer: 64 * 1024 * 1024,
  });
  const hops = stdout.split('\n').flatMap((line) => {
    const [, name, type, ids] = /\bhop (\S+) (\S+)(.*)$/u.exec(line) ?? [];
    return name === undefined ? [] : [{ name, type, interaction: /interaction=(\S+)/u.exec(ids ?? '')?.[1] }];
  });
  const recorded = hops.filter(({ name, type }) => name === 'record' && type === 'interaction');
  expect(recorded.length).toBeGreaterThan(0);
  for (const { interaction } of recorded) {
    const functions = hops.filter((hop) => hop.interaction === interaction).map(({ name }) => name);
    expect(functions).toEqual(
      expect.arrayContaining(['record', 'projections', 'sync-salesforce', 'sync-hubspot']),
    );
  }
});
