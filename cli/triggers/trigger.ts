import { parseArgs } from 'node:util';
import { HubError } from '../../core/errors.ts';
import { hubOfEnvironment } from '../client/environment.ts';
import type { HubConnection } from '../client/request.ts';
import {
  actOnTrigger,
  checkTrigger,
  getTrigger,
  listTriggers,
  putTrigger,
  type TriggerState,
  triggerHistory,
  triggerReport,
  unpublishTrigger,
} from '../client/triggers/triggers.ts';
import { CONNECTION_HELP } from '../command.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { sanitize, sanitizeJson } from '../terminal/sanitize.ts';
import { currentUser } from '../terminal/user.ts';
import { printBacktest } from './backtest.ts';
import { isFile, readTriggerFile, type TriggerFile, triggerFiles } from './files.ts';
import { authorText, checkLines, differenceLines, stateLines } from './print.ts';
import { reportLines } from './report.ts';
import { printTest } from './test.ts';

export const usage = `Usage: hub trigger SUBCOMMAND …

Read:
  list                       every trigger: draft, published or paused, its version, by whom and since when
  show ID [--version N]      print a trigger, its templates and its draft as JSON
  history ID                 print the versions, newest first: who, when, and which keys changed
  check FILE                 everything that publishing checks, and the limits of the event bus; changes nothing
  diff FILE                  what differs from what is published; the exit code is 1 where anything does
  report ID [--days N]       matched, sent, delivered, opened, clicked; why not; the goal against the holdout; by day
  test FILE|ID --customer IDENTIFIER [--interaction ID | --interaction '{ kind: order }']
      decide now for one customer, print each check and the message, and change nothing; --send-to ADDRESS sends the
      message to an address of your own, such as email:me@acme.example
  backtest FILE|ID [--days N] [--list N] [--json]
      what it would have sent in the last days (default 30), by the code that decides live: by reason, channel and day, and
      the first 20 of them, or N; changes nothing

Change:
  publish FILE [--note TEXT] [--draft]
      publish a file with its templates, within seconds; --draft stores it without publishing
  publish ID                 publish the draft
  apply [FILE…] [--overwrite]
      publish all files of mappings/triggers; what was edited elsewhere stays and is shown, unless --overwrite
  pause ID                   send nothing more, not even what waits
  resume ID                  go on with new events; what waited at the pause stays unsent
  roll-back ID [--version N] publish the version before, or version N, as a new version
  unpublish ID               pause it and free its rule on the bus; its versions stay stored

FILE is a path, or a name in mappings/triggers; templates are read from mappings/templates (HUB_MAPPINGS names another folder).
${CONNECTION_HELP}`;

const options = {
  note: { type: 'string' },
  version: { type: 'string' },
  days: { type: 'string', default: '30' },
  list: { type: 'string', default: '20' },
  json: { type: 'boolean', default: false },
  customer: { type: 'string' },
  interaction: { type: 'string' },
  'send-to': { type: 'string' },
  draft: { type: 'boolean', default: false },
  overwrite: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
/** Resolves to the exit code. */
type Subcommand = (argument: string, values: Values, hub: HubConnection) => Promise<number>;

const subcommands: Readonly<Record<string, Subcommand>> = {
  async show(id, { version }, hub) {
    console.log(sanitizeJson(await getTrigger(hub, id, version), 2));
    return 0;
  },
  async history(id, _values, hub) {
    for (const { version, published, restores, changed, ...author } of await triggerHistory(hub, id)) {
      const what = restores === undefined ? changed.join(', ') : `version ${restores} again`;
      console.log(`v${version}${published ? '*' : ' '}  ${sanitize(authorText(author))}  ${sanitize(what)}`);
    }
    return 0;
  },
  async check(file, _values, hub) {
    const check = await checkTrigger(hub, sent(readTriggerFile(file)));
    for (const line of checkLines(check)) (check.faults.length > 0 ? console.error : console.log)(line);
    return check.faults.length > 0 ? 1 : 0;
  },
  diff: async (file, _values, hub) => {
    const check = await checkTrigger(hub, sent(readTriggerFile(file)));
    const lines = check.faults.length > 0 ? checkLines(check) : differenceLines(check);
    for (const line of lines) console.log(line);
    if (lines.length === 0) console.log(`No difference from version ${check.publishedVersion}.`);
    return lines.length > 0 ? 1 : 0;
  },
  async report(id, { days }, hub) {
    for (const line of reportLines(await triggerReport(hub, id, days))) console.log(line);
    return 0;
  },
  backtest: (argument, { days, list, json }, hub) =>
    printBacktest(hub, argument, { days: numberOf('days', days), list: numberOf('list', list), json }),
  test: (argument, { customer, interaction, 'send-to': sendTo }, hub) =>
    printTest(hub, argument, { customer, interaction, sendTo }),
  async publish(argument, { draft, note }, hub) {
    const author = { by: currentUser(), note };
    if (!isFile(argument)) return printed(await actOnTrigger(hub, argument, 'publish', author));
    const { id, ...given } = readTriggerFile(argument);
    return printed(await putTrigger(hub, id, { ...given, ...author, as: draft ? 'draft' : 'edit' }));
  },
  async pause(id, { note }, hub) {
    const state = await actOnTrigger(hub, id, 'pause', { by: currentUser(), note });
    printed(state);
    if (state.waiting > 0)
      console.log(`${state.waiting} that wait will not be sent: each ends as \`paused\` when its wait ends.`);
    return 0;
  },
  resume: async (id, _values, hub) => printed(await actOnTrigger(hub, id, 'resume', { by: currentUser() })),
  'roll-back': async (id, { version, note }, hub) =>
    printed(
      await actOnTrigger(hub, id, 'roll-back', { by: currentUser(), note, version: versionOf(version) }),
    ),
  unpublish: async (id, _values, hub) => printed(await unpublishTrigger(hub, id, currentUser())),
};

/** `hub trigger …` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  const [verb = '', ...named] = positionals;
  const [first] = named;
  if (verb === 'list') {
    for (const state of await listTriggers(hubOfEnvironment())) printed(state);
    return 0;
  }
  if (verb === 'apply') {
    const files = named.length > 0 ? named.map(readTriggerFile) : triggerFiles();
    return apply(files, values, hubOfEnvironment());
  }
  const subcommand = Object.hasOwn(subcommands, verb) ? subcommands[verb] : undefined;
  if (subcommand !== undefined && first !== undefined) return subcommand(first, values, hubOfEnvironment());
  console.error(usage);
  return 2;
};

const sent = ({ id: _, ...given }: TriggerFile): Omit<TriggerFile, 'id'> => given;

const printed = (state: TriggerState): number => {
  for (const line of stateLines(state)) console.log(line);
  return 0;
};

/** A positive whole number. Throws `HubError` `invalid-arguments`. */
const versionOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const version = Number(text);
  if (Number.isInteger(version) && version > 0) return version;
  throw badArguments('--version takes a whole number, such as --version 3.');
};

/** A whole number from 0 on. Throws `HubError` `invalid-arguments`. */
const numberOf = (name: string, text: string): number => {
  if (/^\d{1,4}$/u.test(text)) return Number(text);
  throw badArguments(`--${name} takes a whole number, such as --${name} 30.`);
};

/** Publishes the files that differ. Resolves to 1 where one has faults, or was edited elsewhere and stays. */
const apply = async (
  files: readonly TriggerFile[],
  { note, overwrite }: Values,
  hub: HubConnection,
): Promise<number> => {
  let code = 0;
  for (const { id, ...given } of files) {
    const check = await checkTrigger(hub, given);
    if (check.faults.length === 0 && check.differences.length === 0) {
      console.log(`${id}: no difference`);
      continue;
    }
    const lines = check.faults.length > 0 ? checkLines(check) : differenceLines(check);
    console.log(`${id}:`);
    for (const line of lines) console.log(`  ${line}`);
    const author = { by: currentUser(), note };
    const state =
      check.faults.length > 0
        ? undefined
        : await putTrigger(hub, id, { ...given, ...author, as: 'apply', overwrite }).catch(
            (error: unknown) => {
              if (!(error instanceof HubError)) throw error;
              console.error(`  ${sanitize(error.message)}`);
            },
          );
    if (state === undefined) code = 1;
    else printed(state);
  }
  return code;
};
