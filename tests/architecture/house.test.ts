import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;

/**
 * A part of the house: the files whose path begins with `path`, the parts and the packages that they may import. Of
 * several parts that hold a file the longest path counts. A part may always import itself, unless it says `apart`: then
 * each of its entries (a vendor's file or folder, a function's folder) imports no other, except for the types in
 * `context.ts`; its `index.ts` imports all.
 */
interface Part {
  readonly path: string;
  readonly imports: readonly string[];
  readonly packages: RegExp;
  readonly apart?: true;
}

const NODE_PURE = 'node:(?:crypto|net|util|zlib|buffer)';
const parts: readonly Part[] = [
  {
    path: 'core',
    imports: [],
    packages: new RegExp(`^(?:zod|yaml|liquidjs|fast-xml-parser|postal-mime|${NODE_PURE})$`),
  },
  { path: 'mappings', imports: ['core'], packages: /^(?:zod|node:crypto)$/ },
  { path: 'mappings/channels', imports: ['core'], packages: /^(?:zod|node:crypto)$/, apart: true },
  { path: 'connectors', imports: ['core', 'connectors/channels', 'mappings/channels'], packages: /^(?!)/ },
  // No cryptography of their own: signatures are made and compared in core/webhooks, in constant time.
  { path: 'connectors/channels', imports: ['core'], packages: /^(?!)/, apart: true },
  {
    path: 'connectors/crm',
    imports: ['core'],
    packages: /^(?:zod|jsforce\/.+|@hubspot\/api-client\/.+|node:(?:crypto|stream|util|timers\/promises))$/,
    apart: true,
  },
  { path: 'connectors/senders', imports: ['core'], packages: /^(?:zod|@aws-sdk\/client-ses)$/, apart: true },
  {
    path: 'functions/contracts',
    imports: ['core'],
    packages: /^(?:zod|@smithy\/types|aws-lambda|node:(?:async_hooks|crypto))$/,
  },
  {
    path: 'functions/aws',
    imports: ['core', 'functions/contracts', 'functions/aws'],
    packages: /^(?:zod|aws-lambda|aws4fetch|@aws-sdk\/.+|@smithy\/.+|node:.+)$/,
  },
  {
    path: 'functions/aws/clients',
    imports: ['core', 'functions/contracts'],
    packages: /^(?:zod|aws-lambda|aws4fetch|@aws-sdk\/.+|@smithy\/.+|node:.+)$/,
  },
  {
    path: 'functions/middleware',
    imports: ['core', 'functions/contracts', 'functions/aws/clients'],
    packages: /^(?:zod|aws-lambda|@middy\/.+|node:.+)$/,
  },
  {
    path: 'functions',
    imports: ['core', 'connectors', 'functions/contracts', 'functions/aws', 'functions/middleware'],
    packages: /^(?!aws-cdk-lib|constructs|cdk-nag|vitest)/,
    apart: true,
  },
  { path: 'infra', imports: ['core', 'connectors', 'infra/stack'], packages: /./ },
  { path: 'infra/stack', imports: ['core', 'connectors'], packages: /./ },
  {
    path: 'infra/scenario',
    imports: ['core', 'connectors', 'functions', 'infra/stack', 'infra/local', 'infra/sandbox'],
    packages: /./,
  },
  { path: 'infra/local', imports: [], packages: /./ },
  { path: 'infra/sandbox', imports: [], packages: /./ },
  {
    path: 'cli',
    imports: ['core', 'connectors', 'functions/aws/clients', 'functions/aws/erasure', 'infra', 'cli'],
    packages: /./,
  },
  { path: 'cli/client', imports: ['cli', 'core', 'functions/contracts'], packages: /^(?:zod|node:.+)$/ },
  { path: 'console', imports: ['cli/client'], packages: /./ },
  { path: 'tests', imports: [''], packages: /./ },
];

/** Folders that hold one file per vendor or per case, and so grow with what the product knows. */
const onePerVendor =
  /^(?:connectors\/channels|mappings\/channels|tests\/scenarios|tests\/fixtures(?:\/.*)?|docs\/decisions|docs\/schemas\/events)$/u;
const MOST_FILES = 15;

interface Import {
  readonly file: string;
  readonly from: string;
}

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const files = tracked.filter((file) => /\.tsx?$/u.test(file));
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

const imports: Import[] = files.flatMap((file) =>
  [
    ...textOf(file).matchAll(/^(?:import|export)\s+(?:type\s)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gmu),
    ...textOf(file).matchAll(/\bimport\(\s*['"]([^'"]+)['"]/gu),
  ].map((match) => ({ file, from: match[1] ?? '' })),
);
const isOurs = ({ from }: Import): boolean => from.startsWith('.');
const target = ({ file, from }: Import): string => normalize(join(dirname(file), from));
const isIn = (file: string, path: string): boolean => path === '' || file.startsWith(`${path}/`);

const partOf = (file: string): Part | undefined =>
  parts
    .filter(({ path }) => isIn(file, path))
    .toSorted((one, other) => other.path.length - one.path.length)
    .at(0);
/** The entry of a part that a file belongs to: `meta/index.ts` and `meta/leads.ts` are both `meta`. */
const entryOf = (file: string, { path }: Part): string => {
  const [entry = ''] = file.slice(path.length + 1).split('/');
  return basename(entry, '.ts');
};

const mayImport = (one: Import): boolean => {
  const part = partOf(one.file);
  if (part === undefined) return true;
  const to = target(one);
  const other = partOf(to);
  if (other?.path === part.path)
    return (
      part.apart === undefined ||
      ['index', entryOf(to, part)].includes(entryOf(one.file, part)) ||
      entryOf(to, part) === 'context'
    );
  return part.imports.some((path) => isIn(to, path));
};

describe('the import table', () => {
  it('is not vacuous', () => {
    expect(imports.length).toBeGreaterThan(100);
    expect(files.filter((file) => partOf(file) === undefined)).toEqual(['vitest.config.ts']);
  });

  it('allows only the imports of the table', () => {
    const wrong = imports.filter((one) => isOurs(one) && !mayImport(one));
    expect(wrong.map((one) => `${one.file} -> ${target(one)}`)).toEqual([]);
  });

  it('allows only the packages of the table', () => {
    const wrong = imports.filter(
      (one) => !isOurs(one) && partOf(one.file)?.packages.test(one.from) === false,
    );
    expect(wrong).toEqual([]);
  });

  it('has no circle of files', () => {
    expect(circles()).toEqual([]);
  });

  it('keeps clocks and chance out of the pure rooms', () => {
    const pure = files.filter(
      (file) => /^(?:core|mappings|connectors)\//u.test(file) && file !== 'core/clock.ts',
    );
    const impure = pure.filter((file) =>
      /\bDate\.now\(\)|new Date\(\)|Math\.random\(\)|randomUUID\(\)/u.test(textOf(file)),
    );
    expect(impure).toEqual([]);
  });

  it('generates no code at run time', () => {
    expect(
      files.filter((file) => /\bnew Function\(|\beval\(/u.test(textOf(file)) && !isIn(file, 'tests')),
    ).toEqual([]);
  });
});

describe('rooms', () => {
  it('hold no leftovers', () => {
    const odd = files.filter((file) => /(?:^|\/)(?:utils?|helpers?|common|misc)(?:\/|\.ts)|V2\b/u.test(file));
    expect(odd).toEqual([]);
  });

  it('hold at most fifteen files, unless there is one per vendor', () => {
    const folders = Map.groupBy(tracked, dirname);
    const crowded = [...folders]
      .filter(([folder, held]) => folder !== '.' && held.length > MOST_FILES && !onePerVendor.test(folder))
      .map(([folder, held]) => `${folder}: ${held.length}`);
    expect(crowded).toEqual([]);
  });
});

/** Strongly connected files of more than one member, by Tarjan's algorithm; a type-only import counts. */
function circles(): string[][] {
  const edges = Map.groupBy(
    imports.filter((one) => isOurs(one) && files.includes(target(one))),
    ({ file }) => file,
  );
  const found: string[][] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file) ?? 0);
    stack.push(file);
    for (const one of edges.get(file) ?? []) {
      const next = target(one);
      if (!index.has(next)) visit(next);
      if (stack.includes(next))
        low.set(file, Math.min(low.get(file) ?? 0, low.get(next) ?? 0, index.get(next) ?? 0));
    }
    if (low.get(file) !== index.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) found.push(circle.sort());
  };
  for (const file of files) if (!index.has(file)) visit(file);
  return found;
}
