import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { commandsOf, exampleOf, type GuideCommand } from './commands.ts';
import { type Facts, type Rule, rules } from './rules.ts';

const HELP = `npm run guide-check

Starts a hub on this machine and runs every command of the guides against it, in their order, each as the page writes it or with
a value of this hub in place of one that the page cannot know. Says which ended as the page says, and which cannot run here and why.
Exits with 1 if one ended otherwise. Needs curl, jq, openssl and the AWS CLI.`;

const ROOT = join(import.meta.dirname, '../../..');

/** Those that erase people come last. */
const GUIDES = [
  'docs/agent.md',
  'docs/admin.md',
  'docs/crm/crm-mappings.md',
  'docs/crm/connect-hubspot.md',
  'docs/crm/connect-salesforce.md',
  'docs/crm/connect-servicenow.md',
  'docs/failures.md',
  'docs/consent.md',
  'docs/local.md',
  'README.md',
  'docs/erasing.md',
];
const READY = 'The hub runs.';
const MINUTE_MS = 60_000;

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

const main = async (): Promise<number> => {
  if (process.argv.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'tributary-guide-'));
  const hub = await startHub(folder);
  try {
    const commands = GUIDES.flatMap((file) => commandsOf(file, read(file)));
    const facts = await prepare(folder, hub.env);
    return await runAll(folder, hub.env, commands, facts);
  } finally {
    hub.process.kill('SIGINT');
    rmSync(folder, { recursive: true, force: true });
  }
};

interface RunningHub {
  readonly process: ChildProcess;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts the hub with every CRM switched on; resolves when its samples have been replayed. */
const startHub = async (folder: string): Promise<RunningHub> => {
  const mappings = join(folder, 'mappings');
  cpSync(join(ROOT, 'mappings'), mappings, { recursive: true });
  const hubFile = join(mappings, 'hub.yaml');
  writeFileSync(
    hubFile,
    readFileSync(hubFile, 'utf8').replace(
      /^crms:.*$/mu,
      'crms: { salesforce: {}, hubspot: {}, servicenow: {} }',
    ),
  );
  const port = await freePort();
  const child = spawn(
    process.execPath,
    ['cli/local/start.ts', '--port', String(port), '--state', join(folder, 'state.sqlite')],
    { cwd: ROOT, env: { ...process.env, HUB_MAPPINGS: mappings }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const printed = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(READY)) resolve(text);
    });
    child.once('exit', (code) => reject(new Error(`The hub ended with ${code}:\n${text}`)));
  });
  const variables = [...printed.matchAll(/^ +export (.*)$/gmu)].flatMap(([, line = '']) => line.split(' '));
  const env = Object.fromEntries(
    variables.map((one) => [one.split('=')[0] ?? '', one.slice(one.indexOf('=') + 1)]),
  );
  // The first version of the AWS CLI reads the region of this variable alone.
  const region = { AWS_DEFAULT_REGION: env['AWS_REGION'] ?? '' };
  return { process: child, env: { ...env, ...region, HUB_MAPPINGS: mappings, URL: env['HUB_URL'] ?? '' } };
};

/** A port whose next ports are likely to be free as well. */
const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(Math.min(port, 60_000)));
    });
  });

const Failures = z.looseObject({ items: z.array(z.looseObject({ id: z.string() })) });

/** Makes what the pages speak of: the people of the example, a claimed number, and a webhook that nobody can read. */
const prepare = async (folder: string, env: Readonly<Record<string, string>>): Promise<Facts> => {
  const { HUB_URL: url = '', HUB_KEY: key = '' } = env;
  writeFileSync(join(folder, 'people.csv'), exampleOf(read('docs/admin.md'), 'csv'));
  cpSync(join(ROOT, 'tests/scenarios'), join(folder, 'tests/scenarios'), { recursive: true });
  writeFileSync(
    join(folder, 'mail.eml'),
    'From: ada@example.com\nTo: help@acme.example\nSubject: Hi\n\nHi\n',
  );
  const setUp = [
    'npx hub import customers people.csv --consent-date 2026-02-01 --consent-source "the fair"',
    ...['salesforce', 'hubspot', 'servicenow'].map(
      (crm) =>
        `aws secretsmanager get-secret-value --secret-id acme/crm/${crm} --query SecretString --output text > ${crm}.json`,
    ),
  ];
  const failed = (await runScript(folder, env, setUp)).find(({ code }) => code !== 0);
  if (failed !== undefined) throw new Error(`The preparation failed:\n${failed.output}`);
  const post = (path: string, init: RequestInit): Promise<Response> =>
    fetch(`${url}${path}`, { method: 'POST', ...init });
  await post('/events', {
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ id: 'guide', kind: 'message', channel: 'email', direction: 'inbound', text: 'Call me' },
      identifiers: ['email:ada@example.com', 'phone:+14155550177'],
      claimed: ['phone:+14155550177'],
      occurredAt: new Date().toISOString(),
    }),
  });
  const failures = async (): Promise<string | undefined> => {
    const answer = await fetch(`${url}/failures`, { headers: { authorization: `Bearer ${key}` } });
    return Failures.parse(await answer.json()).items[0]?.id;
  };
  const unreadable = 'a delivery of nobody';
  const signature = createHmac('sha256', await metaSecret(folder, env))
    .update(unreadable)
    .digest('hex');
  await post('/webhooks/meta', {
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` },
    body: unreadable,
  });
  let failure = await failures();
  for (const until = Date.now() + MINUTE_MS; failure === undefined && Date.now() < until; )
    failure = await failures();
  if (failure === undefined) throw new Error('The delivery that nobody can read is no failure.');
  return {
    url,
    port: Number(new URL(url).port),
    root: ROOT,
    key,
    failure,
    secretFile: (crm) => join(folder, `${crm}.json`),
  };
};

const metaSecret = async (folder: string, env: Readonly<Record<string, string>>): Promise<string> => {
  const [result] = await runScript(folder, env, [
    'aws secretsmanager get-secret-value --secret-id acme/channels/meta --query SecretString --output text',
  ]);
  const secret = z.object({ appSecret: z.union([z.string(), z.array(z.string())]) });
  return String([secret.parse(JSON.parse(result?.output ?? '')).appSecret].flat()[0]);
};

interface Result {
  readonly code: number;
  readonly output: string;
}

/** Runs commands in one shell, so that a variable of one is there for the next. `npx hub` is that of this working copy. */
const runScript = async (
  folder: string,
  env: Readonly<Record<string, string>>,
  commands: readonly string[],
): Promise<Result[]> => {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(
    join(bin, 'npx'),
    `#!/bin/sh\nif [ "$1" = hub ]; then shift; exec "${process.execPath}" "${ROOT}/cli/hub.ts" "$@"; fi\nPATH="\${PATH#*:}" exec npx "$@"\n`,
  );
  chmodSync(join(bin, 'npx'), 0o755);
  const script = [
    ...['exec </dev/null', 'export EDITOR=true'],
    ...commands.map(
      (text, at) => `{ ${text}\n} > "${folder}/${at}.out" 2>&1; echo $? > "${folder}/${at}.code"`,
    ),
  ].join('\n');
  const child = spawn('bash', ['-c', script], {
    ...{ cwd: folder, stdio: 'ignore' },
    env: { ...process.env, ...env, PATH: `${bin}:${process.env['PATH']}` },
  });
  await new Promise((resolve) => child.once('exit', resolve));
  return commands.map((_, at) => ({
    code: Number(readFileSync(join(folder, `${at}.code`), 'utf8')),
    output: readFileSync(join(folder, `${at}.out`), 'utf8'),
  }));
};

const ruleOf = ({ text }: GuideCommand): Rule | undefined =>
  rules.find(({ commands }) => commands.test(text));

const runAll = async (
  folder: string,
  env: Readonly<Record<string, string>>,
  commands: readonly GuideCommand[],
  facts: Facts,
): Promise<number> => {
  const all = commands.map((command) => ({ command, rule: ruleOf(command) }));
  const runnable = all.flatMap(({ command, rule }) =>
    rule !== undefined && 'not' in rule ? [] : [{ command, rule }],
  );
  const results = await runScript(
    folder,
    env,
    runnable.map(({ command: { text }, rule }) => rule?.as?.(text, facts) ?? text),
  );
  let failed = 0;
  for (const [at, { command, rule }] of runnable.entries()) {
    const { code, output } = results[at] ?? { code: -1, output: '' };
    const expected = rule?.exit ?? 0;
    if (code === expected) continue;
    failed++;
    console.log(
      `${command.file}:${command.line} ended with ${code}, not ${expected}: ${command.text}\n${output}`,
    );
  }
  for (const { command, rule } of all)
    if (rule !== undefined && 'not' in rule)
      console.log(`${command.file}:${command.line} not run (${rule.not}): ${command.text.split('\n')[0]}`);
  console.log(
    `${runnable.length - failed} of ${runnable.length} commands ended as the guides say, ${all.length - runnable.length} cannot run here`,
  );
  return failed === 0 ? 0 : 1;
};

process.exitCode = await main();
