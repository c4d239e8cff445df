import { parseArgs } from 'node:util';
import { assembly } from '../../../infra/stack/assembly.ts';
import { removalsOf } from './removals.ts';
import { errorWithout, fastestTrials, runTrials, trials } from './trials.ts';

const HELP = `npm run least-privilege

Removes each statement of each policy, and each action of a statement with several, and runs the trials that use it until
one fails. Exits with 1 if a permission can be removed and no trial fails: it is not needed. Takes about an hour.`;

const main = async (): Promise<number> => {
  const print = console.log.bind(console);
  const silent = (): void => {};
  Object.assign(console, { info: silent, warn: silent, error: silent });
  const synthesised = await assembly();
  const results = await runTrials(trials(), synthesised);
  const errors = [...results.values()].flatMap(({ error }) => error ?? []);
  if (errors.length > 0) {
    print(`These trials fail with every permission in place. Make them pass first:\n${errors.join('\n')}`);
    return 1;
  }
  const fastest = fastestTrials(results);
  const removals = removalsOf(synthesised.template);
  const needed = new Set<string>();
  let unneeded = 0;
  for (const removal of removals) {
    // A statement with a needed action is needed.
    if (removal.whole && needed.has(removal.place)) continue;
    const error = await errorWithout(removal, synthesised, fastest);
    if (error === undefined) unneeded++;
    else needed.add(removal.place);
    print(`${error === undefined ? 'UNNEEDED' : 'needed  '}  ${removal.place} ${removal.actions.join(', ')}`);
    print(`          ${(error ?? 'no trial failed').replaceAll('\n', ' ')}`);
  }
  const statements = removals.filter(({ whole }) => whole).length;
  print(`${statements} statements, ${unneeded} unneeded`);
  return unneeded > 0 ? 1 : 0;
};

const { values } = parseArgs({ options: { help: { type: 'boolean' } } });
if (values.help) console.log(HELP);
// A trial that fails while it opens leaves its sandbox CRMs listening; they end with the process.
else process.exit(await main());
