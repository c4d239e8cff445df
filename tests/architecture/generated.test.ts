import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { catalogue, explanationOf } from '../../core/errors/catalogue.ts';
import { root } from '../../infra/stack/bundle.ts';
import { eventSchemas } from '../tools/generate/events-page.ts';
import { generated } from '../tools/generate/generated.ts';

const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

it.each(generated)('$file has $part as the code has it', ({ file, written }) => {
  const text = textOf(file);
  expect(text === written(text), `${file} is out of date: run \`npm run generate\` and commit it`).toBe(true);
});

it('every code of the catalogue is used, and a noun in kebab-case', () => {
  const code = globSync('{core,connectors,functions,infra,cli}/**/*.ts', { cwd: root })
    .filter((file) => !file.startsWith('core/errors/'))
    .map(textOf)
    .join('\n');
  const unused = Object.keys(catalogue).filter(
    (one) => !["'", '`'].some((quote) => code.includes(`${quote}${one}${one.endsWith('-') ? '' : quote}`)),
  );
  expect(unused).toEqual([]);
  expect(Object.keys(catalogue).filter((one) => !/^[a-z]+(?:-[a-z]+)*-?$/u.test(one))).toEqual([]);
});

it('every explanation names a heading of docs/errors.md', () => {
  const headings = new Set(
    [...textOf('docs/errors.md').matchAll(/^#+ (.+)$/gmu)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^a-z0-9 -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
  for (const code of [...Object.keys(catalogue), 'hubspot-validation-error']) {
    const [file, anchor = ''] = explanationOf(code).docs.split('#');
    expect(file).toBe('docs/errors.md');
    expect(headings.has(anchor), code).toBe(true);
  }
  expect(explanationOf('code-of-another-release').docs).toBe('docs/errors.md');
});

it('docs/schemas/events holds no schema of an event that is gone', () => {
  const names = readdirSync(join(root, 'docs', 'schemas', 'events')).map((name) => `schemas/events/${name}`);
  expect(names.sort()).toEqual([...eventSchemas().keys()].sort());
});
