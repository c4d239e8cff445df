import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../../infra/stack/bundle.ts';
import { generated } from './generated.ts';

const HELP = `npm run generate

Writes the generated tables, pages and schemas of the documentation. A test fails while they differ from the code.`;

const { values } = parseArgs({ options: { help: { type: 'boolean' } } });
if (values.help) console.log(HELP);
else
  for (const { file, part, written } of generated) {
    const path = join(root, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, written(existsSync(path) ? readFileSync(path, 'utf8') : ''));
    console.log(`${file}: ${part} is up to date.`);
  }
