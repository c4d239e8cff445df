import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { HubError } from '../../core/errors.ts';
import { findCustomer } from '../client/customers.ts';
import { hubOfEnvironment } from '../client/environment.ts';
import { createJob } from '../client/jobs.ts';
import { printFailure, watchJob } from '../operations/watch-job.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { newFile } from '../terminal/new-file.ts';
import { currentUser } from '../terminal/user.ts';

/** `hub customer export IDENTIFIER [--out FILE]`: saves everything that the hub stores about a person. */
export const exportCustomer = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { out: { type: 'string' }, by: { type: 'string' } },
  });
  const [identifier] = positionals;
  if (identifier === undefined) throw badArguments('Name the person: hub customer export IDENTIFIER.');
  const hub = hubOfEnvironment();
  if (values.out !== undefined) newFile(values.out, values.out);
  const { id: profileId } = await findCustomer(hub, identifier);
  const { by = currentUser() } = values;
  const { id } = await createJob(hub, { kind: 'export', parameters: { profileId }, by });
  const job = await watchJob(hub, id);
  if (job.state !== 'succeeded' || job.result === undefined) {
    printFailure(job);
    return 1;
  }
  const answer = await fetch(job.result.url);
  if (!answer.ok || answer.body === null)
    throw new HubError(
      'download-failure',
      `The export cannot be downloaded: the bucket answered ${answer.status}. Run the command again.`,
      { retry: 'never' },
    );
  const file = newFile(values.out, `export-${profileId}.json`);
  await pipeline(Readable.fromWeb(answer.body), createWriteStream(file, { flags: 'wx', mode: 0o600 }));
  console.log(
    `Saved everything that the hub stores about ${identifier} in ${file}. The hub keeps its own copy of the export for 30 days.`,
  );
  return 0;
};
