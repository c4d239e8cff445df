import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { assembly } from '../../../infra/stack/assembly.ts';
import { root } from '../../../infra/stack/bundle.ts';
import { benchAcknowledge } from './acknowledge.ts';
import { benchBundles } from './bundles.ts';
import { benchChannels } from './channels.ts';
import { costColumns, countCosts, type LoadCost, measuredCosts } from './cost/cost.ts';
import { loadShapes } from './cost/loads.ts';
import { benchLooks } from './cost/looks.ts';
import { benchCrm } from './crm.ts';
import { benchImport } from './import.ts';
import { benchLoad, type Load } from './load.ts';
import { benchMapping } from './mapping.ts';
import { goalText, type Measured, measuredText, verdictOf } from './measured.ts';
import { numbersPage } from './page.ts';
import { benchPattern } from './pattern.ts';
import { benchRecord } from './record.ts';
import { benchTimeline } from './timeline.ts';

let loaded: Promise<Load> | undefined;
const load = (): Promise<Load> => {
  loaded ??= benchLoad();
  return loaded;
};

let counted: Promise<LoadCost[]> | undefined;
const costs = (): Promise<LoadCost[]> => {
  counted ??= countCosts();
  return counted;
};

const countIndexes = async (): Promise<Measured> => {
  const { template } = await assembly();
  const tables = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::DynamoDB::Table');
  const found = tables.flatMap(({ Properties }) => [
    ...Object.keys(Properties['GlobalSecondaryIndexes'] ?? {}),
    ...Object.keys(Properties['LocalSecondaryIndexes'] ?? {}),
  ]);
  return { name: 'secondary indexes', measured: found.length, unit: '', goal: { atMost: 0 } };
};

/** The parts of the bench by name. */
const parts: Readonly<Record<string, (options: { readonly million: boolean }) => Promise<Measured[]>>> = {
  requests: async () => [
    ...(await benchAcknowledge()),
    ...(await benchRecord()),
    ...(await benchTimeline()),
    await countIndexes(),
  ],
  crm: benchCrm,
  channels: benchChannels,
  bundles: benchBundles,
  import: ({ million }) => benchImport(million),
  ratios: async () => [
    ...benchMapping(),
    {
      name: 'matching an event against 10,000 triggers, relative to 10',
      measured: benchPattern(),
      unit: '×',
      goal: { atMost: 2 },
      timed: true,
    },
  ],
  looks: benchLooks,
  cost: async () => measuredCosts(await costs()),
  load: async () => {
    const { readySeconds, perSecond, cpuMs, requests } = await load();
    return [
      {
        name: 'npm start to ready, including synthesis of the template',
        measured: readySeconds,
        unit: 's',
        goal: { atMost: 5 },
        timed: true,
      },
      {
        name: 'interactions end to end on this machine',
        measured: perSecond,
        unit: '/s',
        goal: { atLeast: 100 },
        timed: true,
      },
      { name: 'processor time of an interaction end to end', measured: cpuMs, unit: 'ms', timed: true },
      { name: 'AWS requests of all functions per interaction, two CRMs', measured: requests, unit: '' },
    ];
  },
};

const HELP = `npm run bench -- [PART…] [--json] [--write]

Measures the hub and compares the measurements with the goals. Exits with 1 if a count misses its goal; a duration depends
on the machine and is only reported.

  PART      ${Object.keys(parts).join(', ')}; default: all
  --million imports a million rows instead of two hundred thousand
  --json    prints the numbers as JSON
  --write   writes docs/numbers.md (all parts)`;

const print = (numbers: readonly Measured[]): void => {
  const width = Math.max(...numbers.map(({ name }) => name.length)) + 2;
  const row = (name: string, goal: string, measured: string, rest: string): string =>
    `${name.padEnd(width)}${goal.padStart(12)}${measured.padStart(12)}  ${rest}`.trimEnd();
  console.log(row('', 'goal', 'measured', ''));
  for (const number of numbers)
    console.log(
      row(number.name, goalText(number), measuredText(number), `${verdictOf(number)} ${number.note ?? ''}`),
    );
};

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      million: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const unknown = positionals.filter((name) => !Object.hasOwn(parts, name));
  if (values.help || unknown.length > 0) {
    console.log(unknown.length > 0 ? `Unknown part: ${unknown.join(', ')}.\n\n${HELP}` : HELP);
    return unknown.length > 0 ? 2 : 0;
  }
  const wanted = positionals.length === 0 || values.write ? Object.keys(parts) : positionals;
  const numbers: Measured[] = [];
  for (const name of wanted) numbers.push(...((await parts[name]?.(values)) ?? []));
  if (values.json) {
    const rows = numbers.map((number) => ({ ...number, verdict: verdictOf(number) }));
    console.log(JSON.stringify(rows, null, 2));
  } else print(numbers);
  const columns = wanted.includes('cost') ? costColumns(await costs()) : [];
  if (!values.json && columns.length > 0) console.log(`\n${columns.join('\n')}`);
  if (values.write)
    writeFileSync(join(root, 'docs', 'numbers.md'), numbersPage(numbers, { columns, loads: loadShapes }));
  return numbers.some((number) => number.timed !== true && verdictOf(number) === 'MISSED') ? 1 : 0;
};

process.exitCode = await main();
