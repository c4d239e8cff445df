import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import * as z from 'zod';
import { parseConfigFile } from '../../core/config/config-file.ts';
import { HubConfig } from '../../core/config/hub-config.ts';
import { IdentityConfig } from '../../core/identity/identity-config.ts';
import { Condition } from '../../core/triggers/condition.ts';
import { templateFaults } from '../../core/triggers/message/faults.ts';
import { Trigger } from '../../core/triggers/trigger.ts';
import { runScenarioFile } from '../../infra/scenario/run.ts';
import { assembly } from '../../infra/stack/assembly.ts';
import { root } from '../../infra/stack/bundle.ts';

/** The blocks of code of all pages; the first line of one in YAML says which file it is. */
const blocks = globSync('docs/**/*.md', { cwd: root }).flatMap((page) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^```(yaml|liquid)\n(.*?)^```$/gmsu)].map(
    ([, language = '', text = '']) => {
      const [, file = language] = /^# (scenario|conditions|mappings\/\S+)\n/u.exec(text) ?? [];
      return { page, file, text };
    },
  ),
);
const named = (begins: string) => blocks.filter(({ file }) => file.startsWith(begins));
const folder = mkdtempSync(join(tmpdir(), 'hub-docs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const schemas: readonly (readonly [string, z.ZodType])[] = [
  ['mappings/triggers/', Trigger],
  ['mappings/identity.yaml', IdentityConfig],
  ['mappings/hub.yaml', HubConfig],
  ['conditions', z.array(Condition)],
];
it.each(schemas.flatMap(([begins, schema]) => named(begins).map((block) => ({ ...block, schema }))))(
  '$page: $file is valid',
  ({ file, text, schema }) => {
    expect(() => parseConfigFile(file, text, schema)).not.toThrow();
  },
);

it.each([...named('mappings/templates/'), ...named('liquid')])('$page: $file is valid', ({ file, text }) => {
  const name = file === 'liquid' ? 'email.liquid' : (file.split('/').at(-1) ?? '');
  expect(templateFaults('example', { [name]: text })).toEqual([]);
});

it.each(named('scenario'))('$page: the scenario runs', async ({ page, text }) => {
  const file = join(folder, `${page.replaceAll('/', '-')}.yaml`);
  writeFileSync(file, text);
  const { lines } = await runScenarioFile(file, { assembly: await assembly() });
  expect(lines).toEqual([]);
});
