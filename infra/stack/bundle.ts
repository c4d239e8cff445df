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
  projections: 'projections/handler',
  jobs: 'jobs/handler',
  api: 'api/handler',
  deploy: 'deploy/handler',
};

export const root = new URL('../..', import.meta.url).pathname;
export const sourceOf = (name: string): string => join(root, 'functions', `${functionModules[name]}.ts`);

/** What stands in a bundle for a module that no function reaches; it says so, should one ever do. */
const absent = (name: string, why: string): string =>
  `const absent = () => { throw new Error(${JSON.stringify(`${name} is not in this bundle: ${why} (infra/stack/bundle.ts)`)}); };\n`;

/** Modules of the libraries that cost more than all that a function uses of them, and what takes their place. */
const replaced: Readonly<Record<string, string>> = {
  '@aws-sdk/credential-provider-node': `${absent('The search for credentials', 'Lambda puts the keys of its role into the environment, and functions/aws/clients/config.ts hands them over')}export const defaultProvider = () => absent;`,
  // Uploads of forms bring a table of all media types with them. A class, because both CRM clients ask `instanceof`.
  'form-data': `${absent('form-data', 'the hub uploads no form to a CRM')}module.exports = class { constructor() { absent(); } };`,
  // A limiter of calls, which HubSpot's client makes when it is given limits; the hub rations calls itself.
  bottleneck: `${absent('bottleneck', 'connectors/crm/hubspot/index.ts gives the client no limits')}module.exports = class { constructor() { absent(); } };`,
  // HubSpot's client joins with it what its generated APIs are given.
  'lodash.merge': `${absent('lodash.merge', 'the hub asks HubSpot through apiRequest alone')}module.exports = absent;`,
  // Functions check data; JSON Schemas are made of it where the hub is built.
  '../core/to-json-schema.js': `${absent('z.toJSONSchema', 'no function makes a JSON Schema')}exports.createToJSONSchemaMethod = exports.createStandardJSONSchemaMethod = () => absent;`,
  '../core/json-schema-processors.js': `${absent('z.toJSONSchema', 'no function makes a JSON Schema')}exports.toJSONSchema = absent;`,
  // The parts of undici's second HTTP parser, which is asked for by an environment variable only.
  '../milo/simd.js': absent('Milo', 'undici uses llhttp'),
  '../milo/no-simd.js': absent('Milo', 'undici uses llhttp'),
};

const lean: Plugin = {
  name: 'lean',
  setup(build) {
    const names = Object.keys(replaced).map((name) => name.replace(/[.\\/-]/gu, '\\$&'));
    build.onResolve({ filter: new RegExp(`^(?:${names.join('|')})$`) }, ({ path }) => ({
      path,
      namespace: 'replaced',
    }));
    build.onLoad({ filter: /./, namespace: 'replaced' }, ({ path }) => ({ contents: replaced[path] ?? '' }));
    // HubSpot's client loads each API of its 4 MB when it is first asked for; the hub asks for none but `apiRequest`.
    build.onResolve({ filter: /\/discovery\// }, ({ path, importer }) =>
      importer.includes('@hubspot') ? { path, external: true } : undefined,
    );
    // The same source as modules, of which what is not used falls away.
    build.onResolve({ filter: /^yaml$/ }, () => ({ path: join(root, 'node_modules/yaml/browser/index.js') }));
  },
};

/** Bundles every function into `<out>/<name>/index.cjs`. Returns the bytes of each. */
export const bundle = async (out: string): Promise<Record<string, number>> => {
  const names = Object.keys(functionModules);
  for (const name of names)
    if (!existsSync(sourceOf(name)))
      throw new Error(
        `functions/${functionModules[name]}.ts is missing: infra/stack/bundle.ts lists it as the function ${name}.`,
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
    plugins: [lean],
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
