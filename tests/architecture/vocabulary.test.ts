import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;

/** Words of an earlier private dialect that have no other meaning in this product. */
const retired = new Set([
  ...['half', 'halves', 'told', 'tells', 'untold', 'graves', 'grave', 'tombstone', 'tombstones'],
  ...['parcel', 'parcels', 'shelve', 'shelved', 'standing', 'standings', 'parting', 'partings', 'parted'],
  ...['introduce', 'introduced', 'introduction', 'workshop', 'surgery', 'surroundings', 'patience'],
  ...['harmless', 'overtaken', 'ripe', 'fruitless', 'obey', 'obeyed', 'crowded', 'outbox', 'allowance'],
  ...['placing', 'settle', 'settled', 'settling', 'whoever', 'heard', 'onces', 'foldcustomer', 'treeof'],
]);
/** Whole names that were verbs of the dialect. */
const retiredNames = new Set([
  'tellApart',
  'toldApart',
  'keepIn',
  'rootOf',
  'settlePairs',
  'Ground',
  'Watch',
]);

const rooms = ['core', 'functions', 'connectors', 'mappings', 'cli', 'infra', 'docs'];
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...rooms], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));

/** AWS's, vendors' and YAML's own words. */
const foreign = /allSettled|PromiseSettledResult|'tombstone'/gu;

/** `camelCase`, `kebab-case` and `snake_case` names in their words, in lower case. */
const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z\d])([A-Z])/gu, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/u);

const isRetired = (name: string): boolean =>
  retiredNames.has(name) || wordsOf(name).some((word) => retired.has(word));

/** What the code names: identifiers, keys, event names, row prefixes; comments and sentences are prose. */
const namesIn = (source: string): string[] => {
  const code = source
    .replace(/\/\*[\s\S]*?\*\//gu, ' ')
    .replace(/(?<!:)\/\/.*$/gmu, ' ')
    .replace(foreign, ' ');
  const keys = [...code.matchAll(/(['"`])([\w#.:-]+)\1/gu)].map(([, , key = '']) => key);
  const prefixes = [...code.matchAll(/`([\w-]+)#/gu)].map(([, prefix = '']) => prefix);
  const bare = code
    .replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/gu, ' ')
    .replace(/`[^`]*`/gu, (text) =>
      [...text.matchAll(/\$\{([^}]*)\}/gu)].map(([, inner]) => inner).join(' '),
    );
  return [...keys, ...prefixes, ...(bare.match(/[A-Za-z_$][\w$]*/gu) ?? [])];
};

const headingsIn = (page: string): string[] =>
  page
    .split('\n')
    .filter((line) => /^#{1,6} |^\|/u.test(line))
    .flatMap((line) => line.split(/[^\w-]+/u));

it('the retired words are in no identifier, key, heading or file name', () => {
  const found = files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const names = file.endsWith('.md')
      ? headingsIn(text)
      : /\.(?:ts|mjs)$/u.test(file)
        ? namesIn(text)
        : text.split(/[^\w-]+/u);
    return [...new Set([...file.split('/'), ...names].filter(isRetired))].map((name) => `${file}: ${name}`);
  });
  expect(found).toEqual([]);
});
