import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** The Lambda functions of the hub by name; the module under `functions/` exports `create` and `handler`. */
export const functionModules: Readonly<Record<string, string>> = {
  receive: 'receive/handler',
  record: 'record/handler',
  decide: 'decide/handler',
  notify: 'notify/handler',
  'sync-salesforce': 'sync/salesforce',
  'sync-hubspot': 'sync/hubspot',
  'sync-http': 'sync/http',
  'sync-servicenow': 'sync/servicenow',
  failures: 'failures/handler',
  projections: 'projections/handler',
  jobs: 'jobs/handler',
  api: 'api/handler',
  deploy: 'deploy/handler',
};

export const root = new URL('../..', import.meta.url).pathname;
const sourceOf = (name: string): string => join(root, 'functions', `${functionModules[name]}.ts`);

/** The replacement of a module that no function uses at run time; calling it throws. */
const omitted = (name: string, why: string): string =>
  `const omitted = () => { throw new Error(${JSON.stringify(`${name} is not part of this bundle, because ${why}. infra/stack/bundle.ts leaves it out.`)}); };\n`;

/** Large modules of libraries that no function uses, and their replacements. */
const replacements: Readonly<Record<string, string>> = {
  '@aws-sdk/credential-provider-node': `${omitted('The credential provider chain', 'functions/aws/clients/config.ts passes the credentials that Lambda puts into the environment')}export const defaultProvider = () => omitted;`,
  // Form uploads include a table of all media types. A class, because both CRM clients use `instanceof`.
  'form-data': `${omitted('form-data', 'the hub uploads no forms to a CRM')}module.exports = class { constructor() { omitted(); } };`,
  // HubSpot's client creates this rate limiter only where it is given limits; the hub limits its calls itself.
  bottleneck: `${omitted('bottleneck', 'connectors/crm/hubspot gives the client no limits')}module.exports = class { constructor() { omitted(); } };`,
  // The SDK loads it for operations that stream events.
  '@smithy/core/event-streams': `${omitted('The event streams of the SDK', 'no function calls an operation that streams')}exports.EventStreamSerde = omitted;`,
  // HubSpot's generated APIs merge their options with it.
  'lodash.merge': `${omitted('lodash.merge', 'the hub calls HubSpot through apiRequest alone')}module.exports = omitted;`,
  // Functions validate data; JSON Schemas are generated at build time.
  '../core/to-json-schema.js': `${omitted('z.toJSONSchema', 'no function generates a JSON Schema')}exports.createToJSONSchemaMethod = exports.createStandardJSONSchemaMethod = () => omitted;`,
  '../core/json-schema-processors.js': `${omitted('z.toJSONSchema', 'no function generates a JSON Schema')}exports.toJSONSchema = omitted;`,
  // zod's messages in other languages: errors of functions are in English.
  '../locales/index.js': 'export {};\n',
  // jsforce reads and writes CSV for Salesforce's Bulk API.
  'csv-parse': `${omitted('csv-parse', 'the hub writes through collections, not through the Bulk API')}exports.parse = omitted;`,
  'csv-parse/sync': `${omitted('csv-parse', 'the hub writes through collections, not through the Bulk API')}exports.parse = omitted;`,
  'csv-stringify': `${omitted('csv-stringify', 'the hub writes through collections, not through the Bulk API')}exports.stringify = omitted;`,
  'csv-stringify/sync': `${omitted('csv-stringify', 'the hub writes through collections, not through the Bulk API')}exports.stringify = omitted;`,
  // undici's second HTTP parser, which only an environment variable selects.
  '../milo/simd.js': omitted('Milo', 'undici uses llhttp'),
  '../milo/no-simd.js': omitted('Milo', 'undici uses llhttp'),
};

/** What a key of a file means, for its page and for editors. The text stands in quotes of one kind. */
const DESCRIPTION = /\.describe\(\s*(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\$]|\\.)*`),?\s*\)/gu;

const leaveOut: Plugin = {
  name: 'leave-out',
  setup(build) {
    const names = Object.keys(replacements).map((name) => name.replace(/[.\\/-]/gu, '\\$&'));
    build.onResolve({ filter: new RegExp(`^(?:${names.join('|')})$`) }, ({ path }) => ({
      path,
      namespace: 'replacement',
    }));
    build.onLoad({ filter: /./, namespace: 'replacement' }, ({ path }) => ({
      contents: replacements[path] ?? '',
    }));
    // HubSpot's client loads each of its generated APIs (4 MB) on first use; the hub uses `apiRequest` alone.
    build.onResolve({ filter: /\/discovery\// }, ({ path, importer }) =>
      importer.includes('@hubspot') ? { path, external: true } : undefined,
    );
    // Functions validate what people write; what each key means is for the pages that are generated from the schemas.
    build.onLoad({ filter: /\/core\/[^.]+\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll(DESCRIPTION, ''),
      loader: 'ts',
    }));
    // The same library as ES modules, so that unused parts are dropped.
    build.onResolve({ filter: /^yaml$/ }, () => ({ path: join(root, 'node_modules/yaml/browser/index.js') }));
  },
};

/** Bundles every function into `<out>/<name>/index.cjs`. Returns the size of each in bytes. */
export const bundle = async (out: string): Promise<Record<string, number>> => {
  const names = Object.keys(functionModules);
  for (const name of names)
    if (!existsSync(sourceOf(name)))
      throw new Error(
        `functions/${functionModules[name]}.ts does not exist. infra/stack/bundle.ts lists it as the module of the function ${name}.`,
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
    plugins: [leaveOut],
  });
  for (const file of outputFiles) {
    mkdirSync(join(file.path, '..'), { recursive: true });
    writeFileSync(file.path, file.contents);
  }
  // The local runtime reads from this file which module an asset was built from.
  for (const name of names)
    writeFileSync(join(out, name, 'function.json'), JSON.stringify({ module: functionModules[name] }));
  return Object.fromEntries(
    Object.entries(metafile.outputs).map(([path, { bytes }]) => [path.split('/').at(-2) ?? path, bytes]),
  );
};
