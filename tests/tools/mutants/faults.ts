import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { root } from '../../../infra/stack/bundle.ts';

const Faults = z.array(
  z.strictObject({
    id: z.string(),
    why: z.string(),
    file: z.string(),
    text: z.string(),
    with: z.string(),
    tests: z.array(z.string()).min(1),
  }),
);
export type Fault = z.infer<typeof Faults>[number];

/** The faults of `faults.yaml`. Throws where the file has another shape. */
export const readFaults = (): Fault[] =>
  Faults.parse(parse(readFileSync(join(root, 'tests', 'tools', 'mutants', 'faults.yaml'), 'utf8')));

/** One line for each fault whose text is not exactly once in its file, or whose test file does not exist. */
export const misplacedFaults = (faults: readonly Fault[]): string[] =>
  faults.flatMap(({ id, file, text, tests }) => {
    const path = join(root, file);
    const count = existsSync(path) ? readFileSync(path, 'utf8').split(text).length - 1 : undefined;
    return [
      ...(count === undefined ? [`${id}: ${file} does not exist.`] : []),
      ...(count !== undefined && count !== 1
        ? [`${id}: ${file} contains ${JSON.stringify(text)} ${count} times; it must contain it once.`]
        : []),
      ...tests
        .filter((test) => !existsSync(join(root, test)))
        .map((test) => `${id}: the test file ${test} does not exist.`),
    ];
  });
