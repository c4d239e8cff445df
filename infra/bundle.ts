import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** Every Lambda of the hub: its name, and the module under `functions/` that exports `create` and `handler`. */
export const functionModules: Readonly<Record<string, string>> = {
  receive: 'receive/handler',
  record: 'record/handler',
  decide: 'decide/handler',
  notify: 'notify/handler',
  'sync-salesforce': 'sync/salesforce',
  'sync-hubspot': 'sync/hubspot',
  failures: 'failures/handler',
  jobs: 'jobs/handler',
  api: 'api/handler',
  deploy: 'deploy/handler',
};

export const root = new URL('..', import.meta.url).pathname;
export const sourceOf = (name: string): string => join(root, 'functions', `${functionModules[name]}.ts`);

/** HubSpot's client loads each API of its 4 MB when it is first asked for; the hub asks for none but `apiRequest`. */
const withoutDiscovery: Plugin = {
  name: 'without-discovery',
  setup(build) {
    build.onResolve({ filter: /\/discovery\// }, ({ path, importer }) =>
      importer.includes('@hubspot') ? { path, external: true } : undefined,
    );
  },
};

/** Bundles every function into `<out>/<name>/index.cjs`. Returns the bytes of each. */
export const bundle = async (out: string): Promise<Record<string, number>> => {
  const names = Object.keys(functionModules);
  for (const name of names)
    if (!existsSync(sourceOf(name)))
      throw new Error(
        `functions/${functionModules[name]}.ts is missing: infra/bundle.ts lists it as the function ${name}.`,
      );
  const { metafile, outputFiles } = await build({
    entryPoints: Object.fromEntries(names.map((name) => [`${name}/index`, sourceOf(name)])),
    outdir: out,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    metafile: true,
    write: false,
    logLevel: 'error',
    plugins: [withoutDiscovery],
  });
  for (const file of outputFiles) {
    mkdirSync(join(file.path, '..'), { recursive: true });
    writeFileSync(file.path, file.contents);
  }
  // The local runtime reads here which module an asset was built from.
  for (const name of names)
    writeFileSync(join(out, name, 'function.json'), JSON.stringify({ module: functionModules[name] }));
  return Object.fromEntries(
    Object.entries(metafile.outputs).map(([path, { bytes }]) => [path.split('/').at(-2) ?? path, bytes]),
  );
};
