import { parseArgs } from 'node:util';
import { hubOfEnvironment } from '../client/environment.ts';
import {
  dismissFailure,
  type FailureFilter,
  failureSummaries,
  getFailure,
  replayFailure,
  replayFailures,
} from '../client/failures.ts';
import type { HubConnection } from '../client/request.ts';
import { CONNECTION_HELP } from '../command.ts';
import { sanitize, sanitizeJson } from '../terminal/sanitize.ts';
import { currentUser } from '../terminal/user.ts';
import { editFailure } from './edit-failure.ts';
import { waitForJob } from './watch-job.ts';

export const usage = `Usage: hub failures SUBCOMMAND …

  list [--stage STAGE] [--code CODE] [--status open|replayed|dismissed|all]
      list the failures, newest first; default: the open ones
  show ID
      print a failure and its payload as JSON
  edit ID [--file FILE]
      replace the payload by FILE, or edit it in $EDITOR
  replay ID…
      put the payloads back on the queues that they came from
  replay --all [--stage STAGE] [--code CODE] [--before TIME]
      replay all open failures that match
  dismiss ID…
      close failures without replaying them

docs/errors.md explains each code.
${CONNECTION_HELP}`;

const options = {
  stage: { type: 'string' },
  code: { type: 'string' },
  status: { type: 'string' },
  before: { type: 'string' },
  file: { type: 'string' },
  all: { type: 'boolean', default: false },
} as const;

/** `hub failures …` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  const [verb, ...ids] = positionals;
  const [id] = ids;
  const { stage, code, status, before } = values;
  if (verb === 'list') {
    await list(hubOfEnvironment(), { stage, code, status });
    return 0;
  }
  if (verb === 'replay' && values.all) {
    const hub = hubOfEnvironment();
    const job = await replayFailures(hub, { stage, code, before, by: currentUser() });
    return waitForJob(hub, job.id);
  }
  if (id === undefined || !['show', 'edit', 'replay', 'dismiss'].includes(verb ?? '')) {
    console.error(usage);
    return 2;
  }
  const hub = hubOfEnvironment();
  if (verb === 'show') console.log(sanitizeJson(await getFailure(hub, id), 2));
  if (verb === 'edit') await editFailure(hub, id, values.file);
  for (const one of ids) {
    if (verb === 'replay') await replayFailure(hub, one, currentUser());
    if (verb === 'dismiss') await dismissFailure(hub, one, currentUser());
  }
  return 0;
};

const list = async (
  hub: HubConnection,
  filter: FailureFilter & { readonly status: string | undefined },
): Promise<void> => {
  for await (const { id, failedAt, stage, code, count, reason } of failureSummaries(hub, filter))
    console.log(
      `${id}  ${failedAt}  ${stage.padEnd(16)} ${code}${count > 1 ? ` (${count} times)` : ''}\n  ${sanitize(reason)}`,
    );
};
