import * as z from 'zod';
import { signingKeys } from '../../../core/consent/signed-link.ts';
import { HubError } from '../../../core/errors.ts';
import { signReceipt } from '../../../core/privacy/receipt.ts';
import { bucket } from '../../aws/clients/bucket.ts';
import { publisher } from '../../aws/clients/bus.ts';
import type { Table } from '../../aws/clients/dynamo.ts';
import { waitingIn } from '../../aws/clients/queue-depth.ts';
import { sendAllTo } from '../../aws/clients/queue-many.ts';
import { isAwsRefusal } from '../../aws/clients/refusal.ts';
import { readSecret } from '../../aws/clients/secret.ts';
import { signedCalls } from '../../aws/clients/signed.ts';
import { eraseRows } from '../../aws/erasure/erase-rows.ts';
import { erasures } from '../../aws/erasure/erasures.ts';
import { hashedKeysLoader } from '../../aws/erasure/hashed-keys.ts';
import { failures } from '../../aws/operations/failures.ts';
import { customerErased } from '../../contracts/events/build.ts';
import type { EraseMessage } from '../../contracts/messages/sync.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { EraseJobPorts } from './step.ts';

const Environment = z.object({
  HUB: z.string(),
  /** The prefixes under which raw files may lie. */
  RAW_FILES: z.string().transform((text) => text.split(' ')),
  QUEUE_URLS: z.string().transform((text) => z.record(z.string(), z.string()).parse(JSON.parse(text))),
  /** The archive of the bus as the stack created it: the input of `CreateArchive`. */
  ARCHIVE: z.string().transform((text) => z.looseObject({ ArchiveName: z.string() }).parse(JSON.parse(text))),
});

const CRM_STAGE = 'sync-';

/** AWS, as the job that erases a customer uses it. */
export const eraseJobPorts = (runtime: Runtime, table: Table): EraseJobPorts => {
  const env = () => Environment.parse(runtime.env);
  const aws = signedCalls(runtime);
  const rows = erasures(table);
  const secret = readSecret(runtime);
  const ignoring = async (refusal: string, call: Promise<unknown>): Promise<void> => {
    try {
      await call;
    } catch (error) {
      if (!isAwsRefusal(error, refusal)) throw error;
    }
  };
  return {
    erasures: rows,
    rows: eraseRows({ table, loadHashedKeys: hashedKeysLoader(runtime), erasures: rows, runtime }),
    bucket: bucket(runtime),
    hasRaw: (prefix) => env().RAW_FILES.includes(prefix),
    failures: failures(runtime, table),
    crms: () =>
      Object.keys(env().QUEUE_URLS).flatMap((stage) =>
        stage.startsWith(CRM_STAGE) ? [stage.slice(CRM_STAGE.length)] : [],
      ),
    async eraseInCrm(crm, erasure, parts) {
      const messages = parts.map((part) => JSON.stringify({ erasure, part } satisfies EraseMessage));
      const lost = await sendAllTo(runtime, env().QUEUE_URLS[`${CRM_STAGE}${crm}`])(messages);
      if (lost.size > 0)
        throw new HubError('enqueue-failure', `The queue of ${crm} did not take a part of an erasure.`, {
          retry: 'later',
        });
    },
    async quiet() {
      const { record, import: imports } = env().QUEUE_URLS;
      const waiting = await Promise.all([record, imports].map((queue) => waitingIn(runtime, queue)));
      return waiting.every((count) => count === 0);
    },
    async emptyArchive() {
      const { ARCHIVE } = env();
      const { ArchiveName } = ARCHIVE;
      await ignoring('ResourceNotFoundException', aws.json('events', 'DeleteArchive', { ArchiveName }));
      await aws.json('events', 'CreateArchive', ARCHIVE);
    },
    async removeEndpoint(arn) {
      await aws.query('sns', 'DeleteEndpoint', { EndpointArn: arn });
    },
    async publishErased(profileId, at) {
      await publisher(runtime)(customerErased(profileId, at));
    },
    async sign(receipt) {
      const [newest = ''] = signingKeys(await secret(`${env().HUB}/signing`));
      return signReceipt(receipt, newest);
    },
    hub: () => env().HUB,
    now: runtime.now,
  };
};
