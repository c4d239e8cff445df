import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import { normaliseIdentifier } from '../../../core/identity/rules.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { ReceiptKey } from '../../../core/privacy/receipt.ts';
import type { Erasures } from '../../aws/erasure/erasures.ts';
import type { HashedKeys } from '../../aws/erasure/hashed-keys.ts';
import type { Jobs } from '../../aws/operations/jobs.ts';
import type { JobRow } from '../../contracts/jobs/job.ts';
import { eraseKind } from '../../contracts/jobs/kinds.ts';
import type { Erasure } from '../../contracts/rows/erasures.ts';
import { problem } from '../../middleware/http.ts';
import type { CustomerPorts } from './customers.ts';
import { json, parsed, type Routes } from './route.ts';

export interface ErasurePorts extends CustomerPorts {
  readonly erasures: Pick<Erasures, 'create' | 'get' | 'save' | 'list'>;
  readonly loadHashedKeys: () => Promise<HashedKeys>;
  readonly receiptKeys: () => Promise<readonly ReceiptKey[]>;
  readonly jobs: Jobs;
  readonly newId: () => string;
}

const Asked = z.strictObject({
  /** Any identifier of the person. */
  customer: z.string(),
  by: z.string().min(1).max(100).default('api'),
  /** Why, in words that do not say who. */
  reason: z.string().max(200).optional(),
});

/** Erasing people, and the proof of it. */
export const erasureRoutes: Routes<ErasurePorts> = {
  'POST /erasures': async (event, ports) => {
    const asked = Asked.safeParse(parsed(event));
    if (!asked.success) return problem(400, 'invalid-erasure', z.prettifyError(asked.error));
    const { customer, by, reason } = asked.data;
    const identifier = normaliseIdentifier(customer) ?? customer;
    const profileId = await ports.owner(identifier);
    if (profileId === undefined)
      return problem(
        404,
        'unknown-customer',
        'No customer holds this identifier. Look the customer up first: it may be written differently, or the person was erased before (GET /erasures?identifier=…).',
      );
    const erasure: Erasure = {
      ...{ id: ports.newId(), by, profileId, askedAt: instant(ports.now()), version: 1 },
      person: (await ports.loadHashedKeys()).personOf(identifier),
      job: ports.newId(),
      ...(reason !== undefined && { reason }),
    };
    await ports.erasures.create(erasure);
    await begin(ports, erasure, profileId);
    return json(202, await view(erasure, ports));
  },
  /** Newest first; with `identifier`, those of the person who was named by it. */
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
  'GET /erasures/{id}': async (event, ports) => {
    const erasure = await ports.erasures.get(event.pathParameters?.['id'] ?? '');
    return erasure ? json(200, await view(erasure, ports)) : unknown();
  },
  /** Takes up an erasure whose job has failed or was cancelled. */
  'POST /erasures/{id}/resume': async (event, ports) => {
    const erasure = await ports.erasures.get(event.pathParameters?.['id'] ?? '');
    if (erasure === undefined) return unknown();
    const { profileId } = erasure;
    const job = await ports.jobs.get(erasure.job);
    const atWork = job !== undefined && job.finishedAt === undefined;
    if (erasure.receipt !== undefined || profileId === undefined || atWork)
      return json(200, await view(erasure, ports));
    const next = { ...erasure, job: ports.newId() };
    if (!(await ports.erasures.save(next)))
      return problem(409, 'write-conflict', 'The erasure was changed meanwhile. Look at it again.');
    await begin(ports, next, profileId);
    return json(202, await view(next, ports));
  },
};

/** The public keys of receipts, as a JWK set, for whoever checks one: nothing about it is secret. */
export const receiptKeySet = async (
  keys: ErasurePorts['receiptKeys'],
): Promise<APIGatewayProxyStructuredResultV2> => json(200, { keys: await keys() });

const begin = async (
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

const unknown = (): APIGatewayProxyStructuredResultV2 =>
  problem(404, 'unknown-erasure', 'There is no erasure with this id.');

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
