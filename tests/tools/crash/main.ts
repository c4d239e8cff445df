import { parseArgs } from 'node:util';
import { killAndCheck } from './kills.ts';

const HELP = `npm run crash -- [KILLS] [OPTIONS]

Puts webhooks on a hub of its own, kills its process at random moments, starts it again on the same file, lets it drain
at the end and checks that every acknowledged delivery is there once, with all that follows from it.

  KILLS        how often the hub is killed (default 10)
  --seed S     which moments (default: another one each time; it is printed)
  --rate N     webhooks per second (default 40)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, rate: { type: 'string', default: '40' }, help: { type: 'boolean' } },
});
if (values.help) console.log(HELP);
else {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  const kills = Number(positionals[0] ?? 10);
  console.log(`${kills} kills, seed ${seed}`);
  const { broken, counts, ...told } = await killAndCheck({
    ...{ kills, seed, rate: Number(values.rate), people: 40, longestLife: 2500 },
    tell: (line) => console.log(line),
  });
  console.log('');
  for (const [name, count] of Object.entries({ kills, ...told, ...counts, 'broken promises': broken.length }))
    console.log(`${name.padEnd(20)}${String(count).padStart(8)}`);
  for (const one of broken) console.error(one);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
