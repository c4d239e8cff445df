import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { collectExpressions } from '../tools/expressions/collect.ts';

const CODE = `// a comment with /(x+)+$/
const half = 8 / 2 / 1;
export const one = /[/]+$/giu;
export const text = '/not one/';
export const two = new RegExp('^(a+)+$', 'u');
export const three = (source: string) => RegExp(source);
`;

it('every regular expression of the code is found, and nothing that only looks like one', () => {
  const root = mkdtempSync(join(tmpdir(), 'tributary-expressions-'));
  try {
    for (const folder of ['core', 'cli']) {
      mkdirSync(join(root, folder));
      writeFileSync(join(root, folder, 'words.ts'), CODE);
    }
    writeFileSync(join(root, 'tsconfig.json'), '{ "compilerOptions": { "noLib": true, "types": [] } }');
    expect(collectExpressions(root, ['core'])).toEqual([
      { file: 'core/words.ts', line: 3, source: '[/]+$', flags: 'giu' },
      { file: 'core/words.ts', line: 5, source: '^(a+)+$', flags: 'u' },
      { file: 'core/words.ts', line: 6, source: undefined, flags: '' },
    ]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
