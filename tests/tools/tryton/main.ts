import { missingPackages } from './server.ts';

const HELP = `npm run tryton

Proves the connector for any CRM against a Tryton from Debian, which is started on 127.0.0.1 in a temporary folder: 100 people,
200 notes, lost answers, two workers, a party deleted by hand, a restart in the middle. Exits with 1 if a party or a note is
doubled or lost, and with 2 if Tryton is not installed.`;

const missing = missingPackages();
if (process.argv.includes('--help')) console.log(HELP);
else if (missing.length > 0) {
  console.error(
    `Tryton is not installed, so nothing was run. As root: apt-get install -y --no-install-recommends ${missing.join(' ')}`,
  );
  process.exitCode = 2;
} else {
  const { runTryton } = await import('./run.ts');
  const { figures, faults } = await runTryton((line) => console.log(line));
  for (const [name, count] of Object.entries(figures))
    console.log(`${name.padEnd(24)}${String(count).padStart(6)}`);
  for (const fault of faults) console.error(`not ok: ${fault}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
