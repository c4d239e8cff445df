import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../../../infra/stack/bundle.ts';
import { generated } from './generated.ts';

for (const { file, part, written } of generated) {
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, written(existsSync(path) ? readFileSync(path, 'utf8') : ''));
  console.log(`${file}: ${part} is up to date.`);
}
