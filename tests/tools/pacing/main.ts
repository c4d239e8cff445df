// `npm run pacing -- 10000 14`: so many e-mails that are due at the same instant, and how many SES takes in a second.

import { bySecond, openDeferredSends } from '../../support/triggers/deferred-sends.ts';

const [count = 10_000, second = 14] = process.argv.slice(2).map(Number);
const DAY_MS = 86_400_000;
/** Longer than any wait of the rate, and than a queue needs to give a message up. */
const HOURS = Math.ceil(count / second / 3600) + 2;

const { hub, sent, requests } = await openDeferredSends(count, { second, day: count });
const startedAt = Date.now();
await hub.wait(Math.min(HOURS * 3_600_000, DAY_MS));
const times = [...sent().values()];
const seconds = bySecond(sent());
const failures = await hub.failures();
const lines = [
  `${sent().size} of ${count} sent, ${times.filter(({ length }) => length > 1).length} more than once, ${failures.length} failures`,
  `the last after ${seconds.length} s of virtual time (${count} at ${second}/s: ${Math.ceil(count / second)} s), at most ${Math.max(...seconds.map((one) => one ?? 0))} in a second`,
  `requests of notify for each e-mail: ${([...requests.values()].reduce((sum, one) => sum + one, 0) / count).toFixed(2)}`,
  ...[...requests]
    .toSorted(([, one], [, other]) => other - one)
    .map(([name, calls]) => `  ${name}: ${(calls / count).toFixed(3)}`),
  `${((Date.now() - startedAt) / 1000).toFixed(0)} s of this machine`,
];
const isComplete = sent().size === count && failures.length === 0;
await hub.stop();
process.stdout.write(`${lines.join('\n')}\n`);
if (!isComplete) process.exitCode = 1;
