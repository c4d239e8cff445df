#!/usr/bin/env node
import { customerCommand } from './customers/customer.ts';
import { connectCommand } from './deployment/connect.ts';
import { costCommand } from './deployment/cost.ts';
import { doctorCommand } from './deployment/doctor.ts';
import { scenarioCommand } from './local/scenario.ts';
import { failuresCommand } from './operations/failures.ts';
import { figuresCommand } from './operations/figures.ts';
import { importCommand, importUsage } from './operations/import.ts';
import { jobsCommand } from './operations/jobs.ts';
import { errorMessage } from './terminal/error-message.ts';
import { sanitizeLines } from './terminal/sanitize.ts';

interface Command {
  readonly usage: string;
  readonly about: string;
  /** All its options, where a line does not hold them. */
  readonly details?: string;
  /** Resolves to the exit code. */
  run(args: readonly string[]): Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  scenario: {
    usage: 'hub scenario FILE…',
    about: 'runs stories through the whole pipeline with a virtual clock; exit 1 when one differs',
    run: scenarioCommand,
  },
  connect: {
    usage: 'hub connect --list | hub connect PROVIDER [--account NAME] [--rotate | --drop-old]',
    about: 'the providers there are; stores the secrets of one, and says which address to paste',
    run: connectCommand,
  },
  customer: {
    usage:
      'hub customer list|show|timeline|ledger|consent|reopen|merge|unmerge|split|close|reviews|resolve|export|erase|erasures|receipt …',
    about: 'one person of a running hub (HUB_URL, HUB_KEY)',
    run: customerCommand,
  },
  cost: {
    usage: 'hub cost [--hours N] [--stack NAME] [--local [--port N]]',
    about: 'what the hub used of AWS, from CloudWatch, in dollars by service; --local: of npm start',
    run: costCommand,
  },
  figures: {
    usage: 'hub figures [--days N | --from DAY --to DAY] [--by channel|day]',
    about: 'what came in, went out and failed, and how long answers took (HUB_URL, HUB_KEY)',
    run: figuresCommand,
  },
  failures: {
    usage: 'hub failures list|show|edit|replay|dismiss …',
    about: 'what could not be done and why; mended, replayed, dismissed (HUB_URL, HUB_KEY)',
    run: failuresCommand,
  },
  import: {
    usage: 'hub import customers|interactions FILE …',
    about: 'a list of customers, or history, from CSV or NDJSON (HUB_URL, HUB_KEY)',
    details: importUsage,
    run: importCommand,
  },
  jobs: {
    usage: 'hub jobs list|show|watch|cancel|refused …',
    about: 'long work and how far it is (HUB_URL, HUB_KEY)',
    run: jobsCommand,
  },
  doctor: {
    usage: 'hub doctor',
    about:
      'what an account still lacks: secrets, sandboxes, limits, unconfirmed alarms (AWS_REGION and credentials)',
    run: doctorCommand,
  },
};

const help = (): string =>
  [
    'Tributary: many channels, one customer.',
    ...Object.values(commands).map(({ usage, about }) => `${usage}\n    ${about}`),
    'Everything else is an npm script: npm start, npm test, npm run bench.',
  ].join('\n\n');

const main = async ([name, ...args]: readonly string[]): Promise<number> => {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(help());
    return 0;
  }
  const command = commands[name];
  if (command === undefined) {
    console.error(`There is no command ${JSON.stringify(name)}.\n\n${help()}`);
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    console.log(command.details ?? `${command.usage}\n  ${command.about}`);
    return 0;
  }
  return command.run(args);
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const sentence = errorMessage(error);
  console.error(sentence === undefined ? error : sanitizeLines(sentence));
  process.exitCode = 1;
}
