import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../infra/stack/bundle.ts';
import { withCatalogue, withIdentifiers } from './catalogue.ts';

const generated = [
  { file: 'README.md', table: 'the table of providers', written: withCatalogue },
  { file: 'docs/identity.md', table: 'the table of identifiers', written: withIdentifiers },
];
for (const { file, table, written } of generated) {
  const path = join(root, file);
  writeFileSync(path, written(readFileSync(path, 'utf8')));
  console.log(`${file}: ${table} is as the code has it.`);
}
