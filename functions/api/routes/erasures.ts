import * as z from 'zod';
import { normaliseIdentifier } from '../../../core/identity/normalise.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { ReceiptKey } from '../../../core/privacy/signature.ts';
import type { Erasures } from '../../aws/erasure/erasures.ts';
import type { HashedKeys } from '../../aws/erasure/hashed-keys.ts';
import type { Jobs } from '../../aws/operations/jobs.ts';
import type { JobRow } from '../../contracts/jobs/job.ts';
import { eraseKind } from '../../contracts/jobs/kinds.ts';
import { type Erasure, unknownPerson } from '../../contracts/rows/erasures.ts';
import { problem } from '../../middleware/http.ts';
import type { CustomerPorts } from './customers/customers.ts';
import { type Answer, json, pathParameter, type Route, type Routes, withBody } from './route.ts';

export interface ErasurePorts extends CustomerPorts {
  readonly erasures: Pick<Erasures, 'create' | 'get' | 'save' | 'list' | 'putPerson'>;
  readonly loadHashedKeys: () => Promise<HashedKeys>;
  readonly receiptKeys: () => Promise<readonly ReceiptKey[]>;
  readonly jobs: Jobs;
  readonly newId: () => string;
}

const ErasureRequest = z.strictObject({
  /** Any identifier of the customer. */
  customer: z.string(),
  by: z.string().min(1).max(100).default('api'),
  /** The reason, without personal data: it stays after the erasure. */
  reason: z.string().max(200).optional(),
});

/** A route about the erasure whose id is in the path; otherwise 404 `unknown-erasure`. */
const withErasure =
  (route: (erasure: Erasure, ports: ErasurePorts) => Promise<Answer>): Route<ErasurePorts> =>
  async (event, ports) => {
    const erasure = await ports.erasures.get(pathParameter(event, 'id'));
    return erasure === undefined
      ? problem(404, 'unknown-erasure', 'There is no erasure with this id.')
      : route(erasure, ports);
  };

/** Erasures of customers and their receipts. */
export const erasureRoutes: Routes<ErasurePorts> = {
  'POST /erasures': withBody('invalid-erasure', ErasureRequest, async (request, _event, ports) => {
    const { customer, by, reason } = request;
    const identifier = normaliseIdentifier(customer) ?? customer;
    const profileId = await ports.owner(identifier);
    if (profileId === undefined)
      return problem(
        404,
        'unknown-customer',
        'No customer owns this identifier. Look the customer up first: the identifier may be written differently, or the customer was erased before (GET /erasures?identifier=…).',
      );
    const erasure: Erasure = {
      ...{ id: ports.newId(), by, profileId, askedAt: instant(ports.now()), version: 1 },
      person: (await ports.loadHashedKeys()).personOf(identifier),
      job: ports.newId(),
      ...(reason !== undefined && { reason }),
    };
    // Nobody owns the identifier of a guest: the erasure is about this identifier alone.
    if ((await ports.history.customer(profileId))?.guest === true)
      await ports.erasures.putPerson(erasure.id, { ...unknownPerson, identifiers: [identifier] });
    await ports.erasures.create(erasure);
    await startJob(ports, erasure, profileId);
    return json(202, await view(erasure, ports));
  }),
  /** Newest first; with `identifier`, those that were requested with this identifier. */
  'GET /erasures': async (event, ports) => {
    const asked = event.queryStringParameters?.['identifier'];
    const person =
      asked === undefined
        ? undefined
        : (await ports.loadHashedKeys()).personOf(normaliseIdentifier(asked) ?? asked);
    const found = (await ports.erasures.list()).filter(
      (one) => person === undefined || one.person === person,
    );
    return json(200, {
      items: found.map(({ profileId: _, version: __, receipt, ...one }) => ({
        ...one,
        finishedAt: receipt?.receipt.finishedAt,
      })),
    });
  },
  'GET /erasures/{id}': withErasure(async (erasure, ports) => json(200, await view(erasure, ports))),
  /** Starts a new job for an erasure whose job has failed or was cancelled. */
  'POST /erasures/{id}/resume': withErasure(async (erasure, ports) => {
    const { profileId } = erasure;
    const job = await ports.jobs.get(erasure.job);
    const isRunning = job !== undefined && job.finishedAt === undefined;
    if (erasure.receipt !== undefined || profileId === undefined || isRunning)
      return json(200, await view(erasure, ports));
    const next = { ...erasure, job: ports.newId() };
    if (!(await ports.erasures.save(next)))
      return problem(409, 'write-conflict', 'The erasure changed concurrently. Look at it again.');
    await startJob(ports, next, profileId);
    return json(202, await view(next, ports));
  }),
};

/** The public keys of receipts as a JWK set (RFC 7517). Needs no API key: nothing in it is secret. */
export const receiptKeySet = async (keys: ErasurePorts['receiptKeys']): Promise<Answer> =>
  json(200, { keys: await keys() });

const startJob = async (
  { jobs, now }: ErasurePorts,
  { id: erasure, job: id, by }: Erasure,
  profileId: string,
): Promise<void> => {
  const job: JobRow = {
    ...{ id, kind: eraseKind.kind, parameters: { erasure, profileId }, by, createdAt: instant(now()) },
    ...{ state: 'queued', slice: 0, tries: 0, progress: { done: 0, refused: 0 }, result: false, version: 1 },
  };
  await jobs.create(job);
  await jobs.enqueue({ job: id, slice: 0 }, 0);
};

const view = async (
  { profileId: _, version: __, receipt, ...erasure }: Erasure,
  { jobs }: ErasurePorts,
): Promise<object> => {
  if (receipt) return { ...erasure, state: 'succeeded', receipt };
  const job = await jobs.get(erasure.job);
  return {
    ...erasure,
    state: job?.state ?? 'queued',
    ...(job && { progress: job.progress }),
    ...(job?.error && { error: job.error }),
  };
};
