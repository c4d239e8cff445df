import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../bundle.ts';
import { withCatalogue } from '../catalogue.ts';

const readme = join(root, 'README.md');
writeFileSync(readme, withCatalogue(readFileSync(readme, 'utf8')));
console.log('README.md: the table of providers is as the code has it.');
