import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import * as z from 'zod';
import { parseConfigFile } from '../../core/config/config-file.ts';
import { Condition } from '../../core/triggers/condition.ts';
import { Trigger } from '../../core/triggers/trigger.ts';
import { hubOfEnvironment } from '../client/environment.ts';
import { createJob } from '../client/jobs.ts';
import { CONNECTION_HELP } from '../command.ts';
import { sanitize } from '../terminal/sanitize.ts';
import { currentUser } from '../terminal/user.ts';
import { downloadResult } from './job-result.ts';
import { printFailure, watchJob } from './watch-job.ts';

export const usage = `Usage: hub audience count TRIGGER|FILE|CONDITIONS
       hub audience list TRIGGER|FILE|CONDITIONS [--limit N]

Counts or lists the persons of whom conditions hold now, by the code that decides about messages. Nothing is sent, and consent,
caps and quiet hours are not looked at. It runs in the hub, and continues if this command is ended.

  TRIGGER       the id of a published trigger: the conditions under its \`where\`
  FILE          the file of a trigger, published or not
  CONDITIONS    conditions as they stand under \`where\`, such as '[{ customer: { tags: [vip] } }]'
  --limit N     how many persons are listed, at most 1000; default 20

${CONNECTION_HELP}`;

const Listed = z.array(z.looseObject({ id: z.string(), name: z.string().optional() }));

/** `hub audience …` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { limit: { type: 'string', default: '20' } },
  });
  const [what, of, ...more] = positionals;
  if ((what !== 'count' && what !== 'list') || of === undefined || more.length > 0) {
    console.error(usage);
    return 2;
  }
  const list = what === 'list' ? Number(values.limit) : 0;
  const hub = hubOfEnvironment();
  const parameters = { ...conditionsIn(of), list };
  const { id } = await createJob(hub, { kind: 'audience', parameters, by: currentUser() });
  const job = await watchJob(hub, id, ({ progress: { done }, state }) => `${done} looked at  ${state}`);
  if (job.state !== 'succeeded') {
    printFailure(job);
    return 1;
  }
  const { holds = 0, persons = 0 } = job.progress.counts ?? {};
  console.log(`${holds} of ${persons} persons`);
  if (job.result === undefined) return 0;
  const answer = await downloadResult(job.result.url);
  const listed = Listed.parse(await answer.json());
  for (const { id: customer, name = '' } of listed) console.log(sanitize(`${customer}  ${name}`.trimEnd()));
  if (holds > listed.length) console.log(`and ${holds - listed.length} more`);
  return 0;
};

const WrittenTrigger = z.looseObject({ where: z.unknown().optional() });

/** The conditions as they are written: the hub reads them itself. Throws `HubError` `invalid-configuration`. */
const conditionsIn = (text: string): Readonly<Record<string, unknown>> => {
  if (existsSync(text)) {
    const file = readFileSync(text, 'utf8');
    parseConfigFile(text, file, Trigger);
    return { where: WrittenTrigger.parse(parse(file)).where ?? [] };
  }
  if (!/^[[{]/u.test(text.trim())) return { trigger: text };
  parseConfigFile('CONDITIONS', text, z.union([Condition, z.array(Condition)]));
  const written: unknown = parse(text);
  return { where: Array.isArray(written) ? written : [written] };
};
