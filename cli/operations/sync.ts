import { createWriteStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { hubOfEnvironment } from '../client/environment.ts';
import { createJob, type Job } from '../client/jobs.ts';
import type { HubConnection } from '../client/request.ts';
import { CONNECTION_HELP } from '../command.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { newFile } from '../terminal/new-file.ts';
import { currentUser } from '../terminal/user.ts';
import { printFailure, saveRefusedRows, watchJob } from './watch-job.ts';

export const usage = `Usage: hub sync CRM --adopt [--dry-run]
       hub sync CRM --backfill [--since DATE]

Brings a CRM that was in use before the hub and the customers of the hub together. CRM is one that
hub.yaml lists. Both run in the hub, in what live traffic leaves of the CRM's calls, and continue if this command is ended.

  --adopt        read the whole CRM: link each contact to its customer, import the people whom the hub does not know, and
                 write the hub's key to the contacts; contacts that share an address are saved in CRM.ambiguous.csv
                 (or CRM.ambiguous-2.csv: an earlier file is never overwritten)
  --dry-run      with --adopt: count what it would do and write nothing
  --backfill     write all customers that are synchronised, and what they did, to the CRM
  --since DATE   with --backfill: only what changed since then, such as 2026-03-02

${CONNECTION_HELP}`;

const options = {
  adopt: { type: 'boolean', default: false },
  backfill: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  since: { type: 'string' },
} as const;

/** `hub sync …` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  const [crm, ...more] = positionals;
  const { adopt, backfill, since, 'dry-run': dryRun } = values;
  if (crm === undefined || more.length > 0 || adopt === backfill) {
    console.error(usage);
    return 2;
  }
  if (dryRun && !adopt) throw badArguments('--dry-run belongs to --adopt.');
  if (since !== undefined && !backfill) throw badArguments('--since belongs to --backfill.');
  const hub = hubOfEnvironment();
  const asked = adopt
    ? { kind: 'adopt', parameters: { crm, dryRun } }
    : { kind: 'backfill', parameters: { crm, ...(since !== undefined && { since }) } };
  const { id } = await createJob(hub, { ...asked, by: currentUser() });
  const lineOf = adopt ? (job: Job): string => adoptionLine(job, dryRun) : backfillLine;
  const job = await watchJob(hub, id, lineOf);
  printFailure(job);
  if (job.refused !== undefined) await saveAmbiguous(hub, job, crm);
  return job.state === 'succeeded' ? 0 : 1;
};

const number = (count: number | undefined): string => (count ?? 0).toLocaleString('en-US');

const backfillLine = ({ progress: { counts = {} }, state }: Job): string =>
  `${number(counts['customers'])} customers and ${number(counts['interactions'])} interactions compared with the CRM${state === 'succeeded' ? '' : `; the job has the state ${state}`}.`;

const saveAmbiguous = async (hub: HubConnection, job: Job, crm: string): Promise<void> => {
  const file = newFile(undefined, `${crm}.ambiguous.csv`);
  await saveRefusedRows(hub, job, createWriteStream(file, { flags: 'wx', mode: 0o600 }));
  console.log(
    `Saved the ambiguous contacts in ${file}, each with the reason and with the others that share its address. They are not linked.`,
  );
};

const adoptionLine = ({ progress: { counts = {}, total }, state }: Job, dryRun: boolean): string => {
  const isDone = state === 'succeeded';
  if (counts['read'] === undefined || (counts['read'] === 0 && !isDone))
    return `${number(total)} contacts listed  ${state}`;
  const linked = isDone && !dryRun ? 'are linked' : 'will be linked';
  const erased = counts['erased'] ? `, ${number(counts['erased'])} of people who were erased` : '';
  return [
    `${number(counts['read'])} contacts read, ${number(counts['linked'])} ${linked}, ${number(counts['ambiguous'])} are ambiguous,`,
    `${number(counts['withoutAddress'])} without an address${erased};`,
    isDone ? `nothing ${dryRun ? 'will be' : 'was'} created twice.` : `${state}.`,
  ].join(' ');
};
