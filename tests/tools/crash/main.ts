import { parseArgs } from 'node:util';
import { runKills } from './kills.ts';

const HELP = `npm run crash -- [KILLS] [OPTIONS]

Sends webhooks to a hub of its own, kills its process at random moments and restarts it on the same file. At the end the
hub processes everything that is left, and the run checks that every acknowledged delivery is stored once, with all its
consequences. Exits with 1 if an invariant is broken.

  KILLS        number of kills (default 10)
  --seed S     seed of the random moments (default: random; it is printed)
  --rate N     webhooks per second (default 40)
  --calm       no faults of AWS: by default messages are duplicated and reordered, writes conflict, batches are read by halves,
               services throttle and answer 500, and the bus refuses events`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    rate: { type: 'string', default: '40' },
    calm: { type: 'boolean', default: false },
    help: { type: 'boolean' },
  },
});
if (values.help) console.log(HELP);
else {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  const kills = Number(positionals[0] ?? 10);
  console.log(`${kills} kills, seed ${seed}`);
  const { broken, counts } = await runKills({
    ...{ kills, seed, rate: Number(values.rate), people: 40, longestLifeMs: 2500 },
    hasFaults: !values.calm,
    report: (line) => console.log(line),
  });
  console.log('');
  for (const [name, count] of Object.entries({ kills, ...counts, 'broken invariants': broken.length }))
    console.log(`${name.padEnd(20)}${String(count).padStart(8)}`);
  for (const one of broken) console.error(one);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
