import { parseArgs } from 'node:util';
import { type Assembly, assembly, assemblyWith } from '../../../infra/stack/assembly.ts';
import { removalsOf } from './removals.ts';
import { errorWithout, fastestTrials, runTrials, servicenowTrials, type Trial, trials } from './trials.ts';

const HELP = `npm run least-privilege [-- --servicenow]

Removes each statement of each policy, and each action of a statement with several, and runs the trials that use it until
one fails. Exits with 1 if a permission can be removed and no trial fails: it is not needed. Takes about an hour.

--servicenow: what ServiceNow alone needs, some minutes.`;

/** `only`: the one round to run. */
const main = async (only: number | undefined): Promise<number> => {
  const print = console.log.bind(console);
  const silent = (): void => {};
  Object.assign(console, { info: silent, warn: silent, error: silent });
  const rounds: readonly Round[] = [
    { assembly: await assembly(), trials: trials(), isOwn: () => true },
    // What ServiceNow has and the other CRMs have not: a rule that lets the hub ask it for changes.
    {
      assembly: await assemblyWith({ salesforce: {}, hubspot: {}, servicenow: {} }),
      ...{ trials: servicenowTrials, isOwn: (place) => place.includes('ServicenowProbes') },
    },
  ];
  let unneeded = 0;
  for (const round of rounds.filter((_, at) => only === undefined || at === only)) {
    const found = await judge(round, print);
    if (found === undefined) return 1;
    unneeded += found;
  }
  return unneeded > 0 ? 1 : 0;
};

interface Round {
  readonly assembly: Assembly;
  readonly trials: readonly Trial[];
  /** Whether the statement at a place is judged in this round. */
  readonly isOwn: (place: string) => boolean;
}

/** The number of permissions that no trial needs; undefined where a trial fails with every permission in place. */
const judge = async (round: Round, print: (line: string) => void): Promise<number | undefined> => {
  const results = await runTrials(round.trials, round.assembly);
  const errors = [...results.values()].flatMap(({ error }) => error ?? []);
  if (errors.length > 0) {
    print(`These trials fail with every permission in place. Make them pass first:\n${errors.join('\n')}`);
    return undefined;
  }
  const fastest = fastestTrials(results);
  const removals = removalsOf(round.assembly.template).filter(({ place }) => round.isOwn(place));
  const needed = new Set<string>();
  let unneeded = 0;
  for (const removal of removals) {
    // A statement with a needed action is needed.
    if (removal.whole && needed.has(removal.place)) continue;
    const error = await errorWithout(removal, round.assembly, fastest);
    if (error === undefined) unneeded++;
    else needed.add(removal.place);
    print(`${error === undefined ? 'UNNEEDED' : 'needed  '}  ${removal.place} ${removal.actions.join(', ')}`);
    print(`          ${(error ?? 'no trial failed').replaceAll('\n', ' ')}`);
  }
  const statements = removals.filter(({ whole }) => whole).length;
  print(`${statements} statements, ${unneeded} unneeded`);
  return unneeded;
};

const { values } = parseArgs({ options: { help: { type: 'boolean' }, servicenow: { type: 'boolean' } } });
if (values.help) console.log(HELP);
// A trial that fails while it opens leaves its sandbox CRMs listening; they end with the process.
else process.exit(await main(values.servicenow ? 1 : undefined));
