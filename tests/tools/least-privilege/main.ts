import { assembly } from '../../../infra/stack/assembly.ts';
import { removalsOf } from './removals.ts';
import { missed, rehearse, telling, trials } from './trials.ts';

// Each statement of each policy is taken away once, and each action of a statement that has several; then the trials
// that rest on it run until one misses it. Exit 1 when something is missed by none: it is not needed.

const main = async (): Promise<number> => {
  const print = console.log.bind(console);
  const silent = (): void => {};
  Object.assign(console, { info: silent, warn: silent, error: silent });
  const synthesised = await assembly();
  const rehearsed = await rehearse(trials(), synthesised);
  const wrong = [...rehearsed.values()].flatMap(({ broke }) => broke ?? []);
  if (wrong.length > 0) {
    print(`With every permission in place, this is not as it should be:\n${wrong.join('\n')}`);
    return 1;
  }
  const likely = telling(rehearsed);
  const removals = removalsOf(synthesised.template);
  const shown = new Set<string>();
  let unneeded = 0;
  for (const removal of removals) {
    // A statement of which one action is missed is missed itself.
    if (removal.whole && shown.has(removal.place)) continue;
    const broke = await missed(removal, synthesised, likely);
    if (broke === undefined) unneeded++;
    else shown.add(removal.place);
    print(`${broke === undefined ? 'UNNEEDED' : 'needed  '}  ${removal.place} ${removal.actions.join(', ')}`);
    print(`          ${(broke ?? 'nothing broke').replaceAll('\n', ' ')}`);
  }
  const statements = removals.filter(({ whole }) => whole).length;
  print(`${statements} statements, ${unneeded} unneeded`);
  return unneeded > 0 ? 1 : 0;
};

// A trial that broke while it was set up leaves its sandbox CRMs listening; they end with the process.
process.exit(await main());
