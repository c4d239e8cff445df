import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';

/** The output of `npm start -- --exit`. Its exit code is not of interest here. */
const outputOfStart = async (env: NodeJS.ProcessEnv): Promise<string> => {
  const child = spawn(process.execPath, ['cli/local/start.ts', '--exit'], { env });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk));
  await new Promise((resolve) => child.on('close', resolve));
  return Buffer.concat(output).toString();
};

it('HUB_TRACE=1 prints the hops of each message through the functions that npm start runs', async () => {
  const output = await outputOfStart({ PATH: process.env['PATH'], HUB_TRACE: '1' });
  const functionsOf = new Map<string, Set<string>>();
  for (const [, name = '', id = ''] of output.matchAll(/\bhop (\S+) .*\binteraction=(\S+)/gu))
    functionsOf.set(id, (functionsOf.get(id) ?? new Set()).add(name));
  expect([...functionsOf.values()].map((names) => [...names].sort())).toContainEqual([
    'projections',
    'record',
    'sync-hubspot',
    'sync-salesforce',
  ]);
  expect(output).toMatch(/"code":"refused-delivery"/u);
}, 300_000);
