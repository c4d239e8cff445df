import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { root } from './bundle.ts';
import { mappingsFolder, readSeed } from './seed.ts';

export const Template = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
    }),
  ),
  Outputs: z.record(z.string(), z.looseObject({ Value: z.unknown() })).default({}),
  Parameters: z.record(z.string(), z.looseObject({ Default: z.unknown() })).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
});
export type Template = z.infer<typeof Template>;

export interface Assembly {
  readonly name: string;
  readonly template: Template;
  /** The folder of an asset by the hash in its S3 key. */
  readonly assetFolder: (key: string) => string;
}

const SOURCES = ['core', 'connectors', 'functions', 'mappings', 'infra', 'package-lock.json', 'cdk.json'];

/** The synthesised template; cached by a hash of all sources. Throws `HubError` `invalid-configuration` or `synthesis-failure`. */
export const assembly = (): Promise<Assembly> => cached('', synthesise);

const variants = new Map<string, Promise<Assembly>>();

/** The same with other CRMs switched on, for functions that run from source; read once by a process. */
export const assemblyWith = (crms: HubConfig['crms']): Promise<Assembly> => {
  const names = Object.entries(crms).map(([crm, { connector }]) => (connector ? `${crm}=${connector}` : crm));
  const variant = `.${names.sort().join('+')}`;
  const known = variants.get(variant);
  if (known) return known;
  const made = cached(variant, async (out) => {
    // The CDK is loaded only where a template has to be synthesised.
    const { synthesiseFromSource } = await import('./from-source.ts');
    synthesiseFromSource({ ...z.looseObject({}).parse(readSeed().hub), crms }, out);
  });
  variants.set(variant, made);
  return made;
};

const cached = async (variant: string, make: (out: string) => Promise<void>): Promise<Assembly> => {
  const digest = sourcesDigest();
  const folder = join(root, '.hub', 'assembly', `${digest}${variant}`);
  if (existsSync(folder)) markUsed(folder);
  else {
    // Several processes or threads may synthesise at once, each in a folder of its own; the first to finish is used.
    const fresh = `${folder}~${crypto.randomUUID()}`;
    markUsed(fresh);
    await make(fresh);
    for (const old of readdirSync(join(folder, '..')))
      if (!old.startsWith(digest) && !isUsed(join(folder, '..', old)))
        rmSync(join(folder, '..', old), { recursive: true, force: true });
    if (existsSync(folder)) markUsed(folder);
    else renameSync(fresh, folder);
    rmSync(fresh, { recursive: true, force: true });
  }
  return assemblyOf(folder);
};

/** In the folder of an assembly: a file for each process that loads from it, named by the id of the process. */
const USERS = 'users';
/** An assembly that nobody has opened for so long may be deleted. */
const FORGOTTEN_MS = 600_000;

const markUsed = (folder: string): void => {
  mkdirSync(join(folder, USERS), { recursive: true });
  writeFileSync(join(folder, USERS, String(process.pid)), '');
};

/** A running hub loads its functions from the folder for as long as it runs, each when it is first called. */
const isUsed = (folder: string): boolean => {
  const users = join(folder, USERS);
  if (!existsSync(users)) return false;
  if (Date.now() - statSync(users).mtimeMs < FORGOTTEN_MS) return true;
  return readdirSync(users).some((pid) => isRunning(Number(pid)));
};

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // The process of another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/** The assembly that was synthesised into a folder. */
export const assemblyOf = (folder: string): Assembly => {
  const file = readdirSync(folder).find((name) => name.endsWith('.template.json'));
  if (file === undefined) throw new Error(`${folder} has no template. Delete .hub/assembly and try again.`);
  return {
    name: file.replace('.template.json', ''),
    template: Template.parse(JSON.parse(readFileSync(join(folder, file), 'utf8'))),
    assetFolder: (key) => join(folder, `asset.${key.replace(/\.zip$/u, '')}`),
  };
};

const SyncFunction = z.looseObject({
  Environment: z.looseObject({ Variables: z.looseObject({ CRM: z.string() }) }),
});

/** The CRMs whose functions a template has. */
export const syncedBy = ({ template }: Assembly): string[] =>
  Object.values(template.Resources)
    .flatMap(({ Properties }) => SyncFunction.safeParse(Properties).data?.Environment.Variables.CRM ?? [])
    .sort();

const synthesise = (out: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'infra', 'app.ts')], {
      cwd: root,
      env: { ...process.env, CDK_OUTDIR: out, HUB_UNCHECKED: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const output: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return resolve();
      const text = Buffer.concat(output).toString();
      const configuration = /HubError: ((?:\S+\.yaml:\d+: .*\n?)+)/u.exec(text)?.[1];
      reject(
        new HubError(
          configuration ? 'invalid-configuration' : 'synthesis-failure',
          configuration?.trim() ?? text,
          { retry: 'never' },
        ),
      );
    });
  });

const sourcesDigest = (): string => {
  const hash = createHash('sha256');
  for (const path of [...SOURCES.map((source) => join(root, source)), mappingsFolder()]) {
    const files =
      existsSync(path) && !path.endsWith('.json')
        ? readdirSync(path, { recursive: true, withFileTypes: true })
        : [];
    const names = files
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name))
      .sort();
    for (const name of path.endsWith('.json') ? [path] : names)
      hash.update(name.slice(root.length)).update(readFileSync(name));
  }
  return hash.digest('hex').slice(0, 20);
};
