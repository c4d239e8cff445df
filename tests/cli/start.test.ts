import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { hubspotSandbox } from '../../infra/sandbox/hubspot/sandbox.ts';
import { crmFields } from '../../infra/scenario/hub/sandboxes.ts';

const folder = mkdtempSync(join(tmpdir(), 'start-'));
afterAll(() => rmSync(folder, { recursive: true }));

const spawned = (file: string, args: readonly string[], env: NodeJS.ProcessEnv) =>
  spawn(process.execPath, [file, ...args], { env: { PATH: process.env['PATH'], ...env } });

/** Runs a command until it ends. */
const ended = async (
  command: 'start' | 'sandbox' | 'hub',
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly code: number | null; readonly said: string }> => {
  const child = spawned(command === 'hub' ? 'cli/hub.ts' : `cli/local/${command}.ts`, args, env);
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, said: Buffer.concat(output).toString() };
};

const stopped = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGINT');
  await closed;
};

/** Starts a hub that goes on; resolves to what it printed, once that contains `text`. */
const running = async (
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  text: string,
): Promise<{ readonly said: string; readonly stop: () => Promise<void> }> => {
  const child = spawned('cli/local/start.ts', args, env);
  const stop = () => stopped(child);
  onTestFinished(stop);
  let said = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes(text)) resolve();
      });
    child.once('close', () => reject(new Error(said)));
  });
  return { said, stop };
};

/** A folder of configuration as the repository has it, but for its hub.yaml. */
const configured = (name: string, hub: string): NodeJS.ProcessEnv => {
  const path = join(folder, name);
  cpSync('mappings', path, { recursive: true });
  writeFileSync(join(path, 'hub.yaml'), hub);
  return { HUB_MAPPINGS: path };
};

it('a start with wrong options ends with a sentence and an exit code', async () => {
  const state = join(folder, 'missing', 'state.sqlite');
  const wrong: readonly (readonly [args: readonly string[], says: string])[] = [
    [['--state', state], `There is no folder ${join(folder, 'missing')} for --state.`],
    [['--state', folder], `--state takes a file; ${folder} is a folder.`],
    [['--port', 'x'], '--port takes a whole number from 0 to 65530, not x.'],
    [['--public-url', 'hub.example'], '--public-url takes an address'],
    [['--prot', '1'], "Unknown option '--prot'. Add --help to list the options."],
  ];
  for (const [args, says] of wrong) {
    const { code, said } = await ended('start', ['--exit', ...args]);
    expect(said).toContain(says);
    expect(said).not.toContain('    at ');
    expect(code).toBe(1);
  }
}, 300_000);

it('a start with a wrong configuration names the file as it is', async () => {
  const env = configured('broken', 'name: acme\nchanels: { twilio: {} }\n');
  const { code, said } = await ended('start', ['--exit'], env);
  const sentence = `${join(folder, 'broken', 'hub.yaml')}:2: chanels: unknown key`;
  expect(said.trim()).toBe(sentence);
  expect(code).toBe(1);
  const scenario = await ended('hub', ['scenario', 'tests/scenarios/caps.yaml'], env);
  expect([scenario.code, scenario.said.trim()]).toEqual([1, sentence]);
}, 120_000);

it('a start that cannot open what it needs ends, and leaves nothing open', async () => {
  const file = join(folder, 'text.sqlite');
  writeFileSync(file, 'This is a letter, not a database. '.repeat(100));
  const unusable = await ended('start', ['--exit', '--state', file]);
  expect(unusable.said).toContain(`${file} cannot be opened as a SQLite file (file is not a database).`);
  expect(unusable.code).toBe(1);

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const state = join(folder, 'port.sqlite');
  // Its first port is that of the API, its third that of the sandbox Salesforce.
  for (const first of [port, port - 2]) {
    const taken = await ended('start', ['--port', String(first), '--state', state]);
    expect(taken.said).toContain(`Another process listens on port ${port} of 127.0.0.1.`);
    expect(taken.code).toBe(1);
  }
  const sandbox = await ended('sandbox', ['hubspot', '--port', String(port)]);
  expect(sandbox.said.trim()).toMatch(new RegExp(`^Another process listens on port ${port} .*`, 'u'));
  expect(sandbox.code).toBe(2);
  await new Promise((resolve) => server.close(resolve));
}, 300_000);

it('a sandbox with wrong options or a wrong setup ends with a sentence', async () => {
  mkdirSync(join(folder, 'setups'));
  const setup = (text: string): string => {
    const file = join(folder, 'setups', `${text.length}.json`);
    writeFileSync(file, text);
    return file;
  };
  expect(await ended('sandbox', ['--help'])).toMatchObject({
    code: 0,
    said: expect.stringContaining('--setup FILE'),
  });
  const unknownField = '{"records":[{"object":"contacts","fields":{"nofield":"1"}}]}';
  for (const [args, says] of [
    [['siebel'], 'Usage: npm run sandbox'],
    [['hubspot', '--setup', join(folder, 'none')], 'There is no file'],
    [['hubspot', '--setup', setup('{')], 'is not JSON'],
    [['servicenow', '--setup', setup('{"recrods":[]}')], 'Unrecognized key: "recrods"'],
    [['hubspot', '--setup', setup(unknownField)], 'records.0 of the setup cannot be made'],
  ] as const) {
    const { code, said } = await ended('sandbox', args);
    expect(said).toContain(says);
    expect(said).not.toContain('    at ');
    expect(code).toBe(2);
  }
}, 300_000);

it('any configuration starts, and is judged by what it switches on', async () => {
  const hub =
    'channels: { twilio: {}, calendly: {} }\ncrms: { hubspot: {} }\nsenders: { email: ses, sms: aws-sms }\n';
  const { code, said } = await ended('start', ['--exit'], configured('one-crm', hub));
  expect(said).toMatch(/ {2}of channels off +7\n/u);
  expect(said).toMatch(/customers +4\n/u);
  expect(said).toMatch(/hubspot contacts +2\n/u);
  expect(said).not.toContain('salesforce Contact');
  expect(said).not.toContain('expected');
  expect(code).toBe(0);

  const none = 'channels: {}\ncrms: {}\nsenders: {}\n';
  const bare = await ended('start', ['--exit'], configured('no-crm', none));
  expect(bare.said).toMatch(/ {2}of channels off +12\n/u);
  expect(bare.said).not.toContain('expected');
  expect(bare.code).toBe(0);
}, 600_000);

it('a restart keeps the secret of a CRM that an admin has stored, and offers its sandbox no more', async () => {
  const own = await hubspotSandbox(new DatabaseSync(':memory:'), { customProperties: crmFields.hubspot });
  onTestFinished(() => own.stop());
  const file = join(folder, 'own.json');
  writeFileSync(file, JSON.stringify(own.secret));
  const env = configured('restarted', 'name: acme\nchannels: {}\ncrms: { hubspot: {} }\nsenders: {}\n');
  const args = ['--port', '0', '--state', join(folder, 'restarted.sqlite')];
  const ready = 'The hub runs.';
  const aws = (said: string) => ({
    ...{ AWS_ENDPOINT_URL: /AWS_ENDPOINT_URL=(\S+)/u.exec(said)?.[1] },
    ...{ AWS_REGION: 'eu-south-1', AWS_ACCESS_KEY_ID: 'ADMIN', AWS_SECRET_ACCESS_KEY: 'local' },
  });
  const stored = async (said: string): Promise<unknown> => {
    const { AWS_ENDPOINT_URL: endpoint = '' } = aws(said);
    const credentials = { accessKeyId: 'ADMIN', secretAccessKey: 'local' };
    const client = new SecretsManagerClient({ endpoint, region: 'eu-south-1', credentials });
    const { SecretString = '' } = await client.send(
      new GetSecretValueCommand({ SecretId: 'acme/crm/hubspot' }),
    );
    return JSON.parse(SecretString);
  };
  const first = await running(args, env, ready);
  expect(first.said).not.toContain('not used');
  expect(await stored(first.said)).not.toEqual(own.secret);
  const { code } = await ended('hub', ['connect', 'hubspot', '--secret', file], {
    ...env,
    ...aws(first.said),
  });
  expect(code).toBe(0);
  await first.stop();

  const second = await running(args, env, ready);
  expect(second.said).toMatch(/HubSpot +http:\S+ \(not used: the hub has a secret of another account\)/u);
  expect(await stored(second.said)).toEqual(own.secret);
  await second.stop();
}, 600_000);
