#!/usr/bin/env node
import type { CommandModule } from './command.ts';
import { errorMessage } from './terminal/error-message.ts';
import { sanitizeLines } from './terminal/sanitize.ts';

interface CommandEntry {
  readonly summary: string;
  /** Commands are imported when they run: the AWS SDK and the CDK take seconds to load. */
  load(): Promise<CommandModule>;
}

const groups: Readonly<Record<string, Readonly<Record<string, CommandEntry>>>> = {
  'Commands for a running hub (HUB_URL and HUB_KEY select it)': {
    customer: {
      summary: 'find, inspect, merge, split, export and erase customers',
      load: () => import('./customers/customer.ts'),
    },
    connections: {
      summary: 'show whether the CRMs work, and what waits for them',
      load: () => import('./operations/connections.ts'),
    },
    mapping: {
      summary: 'check the mapping of a CRM, and try it on a customer',
      load: () => import('./crm/mapping.ts'),
    },
    template: {
      summary: 'list, check, preview and test templates of messages',
      load: () => import('./templates/template.ts'),
    },
    figures: {
      summary: 'show message counts, response times and failure rates',
      load: () => import('./operations/figures.ts'),
    },
    failures: {
      summary: 'list, inspect, edit, replay and dismiss failures',
      load: () => import('./operations/failures.ts'),
    },
    import: {
      summary: 'import customers or past interactions from CSV or NDJSON',
      load: () => import('./operations/import.ts'),
    },
    review: {
      summary: 'list and decide what waits for a person',
      load: () => import('./customers/review.ts'),
    },
    audience: {
      summary: 'count or list the persons of whom the conditions of a trigger hold',
      load: () => import('./operations/audience.ts'),
    },
    sync: {
      summary: 'adopt the contacts of a CRM, or write all customers to it',
      load: () => import('./operations/sync.ts'),
    },
    why: {
      summary: 'explain why somebody got a message, or did not, with evidence',
      load: () => import('./triggers/why.ts'),
    },
    trigger: {
      summary: 'list, check, compare, publish, pause, roll back and try triggers',
      load: () => import('./triggers/trigger.ts'),
    },
    jobs: {
      summary: 'list, watch and cancel imports and other long jobs',
      load: () => import('./operations/jobs.ts'),
    },
  },
  'Commands for an AWS account (AWS_REGION and credentials select it)': {
    connect: {
      summary: 'connect a CRM or a provider: log in, look at the account, store the secrets',
      load: () => import('./deployment/connect.ts'),
    },
    doctor: {
      summary: 'check secrets, CRMs, sandboxes, quotas and alarms of the account',
      load: () => import('./deployment/doctor.ts'),
    },
    restore: {
      summary: 'restore the table to an earlier second, without the people who were erased since',
      load: () => import('./deployment/restore.ts'),
    },
    destroy: {
      summary: 'show what stays and what goes when the stack is deleted',
      load: () => import('./deployment/destroy.ts'),
    },
    cost: {
      summary: 'show what the hub used of each AWS service, in dollars',
      load: () => import('./deployment/cost.ts'),
    },
  },
  'Commands that need no hub': {
    scenario: {
      summary: 'run scenario files through the whole pipeline on a virtual clock',
      load: () => import('./local/scenario.ts'),
    },
  },
};

const commands: Readonly<Record<string, CommandEntry>> = Object.assign({}, ...Object.values(groups));

const help = (): string => {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const sections = Object.entries(groups).map(([title, entries]) =>
    [
      `${title}:`,
      ...Object.entries(entries).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    ].join('\n'),
  );
  return [
    'Usage: hub COMMAND [ARGUMENTS]',
    ...sections,
    'Run `hub COMMAND --help` for the arguments of a command. Everything else is an npm script: npm start, npm test,\nnpm run bench.',
  ].join('\n\n');
};

const main = async ([name, ...args]: readonly string[]): Promise<number> => {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(help());
    return 0;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) {
    console.error(`Unknown command ${JSON.stringify(name)}.\n\n${help()}`);
    return 2;
  }
  const command = await entry.load();
  if (args.includes('--help') || args.includes('-h')) {
    console.log(command.usage);
    return 0;
  }
  return command.run(args);
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const message = errorMessage(error);
  console.error(message === undefined ? error : sanitizeLines(message));
  process.exitCode = 1;
}
