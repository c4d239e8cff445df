import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import { explanationOf } from '../../../core/errors/catalogue.ts';
import { Failure } from '../../../core/errors/failure.ts';
import { Instant, instant } from '../../../core/interaction/interaction.ts';
import type { Failures } from '../../aws/operations/failures.ts';
import { type ReplayPorts, unknownFailure } from '../../aws/operations/replay.ts';
import { stageOf } from '../../contracts/stages/index.ts';
import { problem } from '../../middleware/http.ts';
import { bodyOf, json, type Routes } from './route.ts';

export interface FailurePorts {
  readonly failures: Failures;
  readonly replay: (id: string, by: string) => Promise<Failure>;
  readonly now: ReplayPorts['now'];
}

/** Rows that one request reads at the most, however few of them pass its filter. */
const MOST_READ = 1000;

const Query = z.strictObject({
  stage: z.string().optional(),
  code: z.string().optional(),
  status: z.enum([...Failure.shape.status.options, 'all']).default('open'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z
    .string()
    .transform((text) => Buffer.from(text, 'base64url').toString().split('#'))
    .pipe(z.tuple([Instant, z.string()]))
    .optional(),
});

/** Who does it, for the row; whoever has a key is believed. */
const By = z.object({ by: z.string().min(1).max(100).default('api') });

const find = async (event: APIGatewayProxyEventV2, { failures }: FailurePorts): Promise<Failure> => {
  const failure = await failures.get(event.pathParameters?.['id'] ?? '');
  if (failure) return failure;
  throw unknownFailure();
};

/** What failed: listed, explained, edited, replayed, dismissed. */
export const failureRoutes: Routes<FailurePorts> = {
  'GET /failures': async (event, { failures }) => {
    const asked = Query.safeParse(event.queryStringParameters ?? {});
    if (!asked.success) return problem(400, 'invalid-query', z.prettifyError(asked.error));
    return json(200, await page(failures, asked.data));
  },
  'GET /failures/{id}': async (event, ports) => {
    const failure = await find(event, ports);
    const text = await ports.failures.payload(failure);
    return json(200, { ...view(failure), payload: text === undefined ? null : readable(text) });
  },
  'PUT /failures/{id}/payload': async (event, ports) => {
    const failure = await find(event, ports);
    const { by } = By.parse(event.queryStringParameters ?? {});
    if (failure.status !== 'open')
      return problem(
        409,
        'closed-failure',
        `This failure is ${failure.status}; only an open one can be edited.`,
      );
    const payload = bodyOf(event);
    // Only what its stage can read is kept: the error names the key.
    stageOf(failure.stage).replay(payload, failure.count);
    await ports.failures.putPayload(failure, payload);
    return saved(await ports.failures.save({ ...failure, edited: { at: instant(ports.now()), by } }));
  },
  'POST /failures/{id}/replay': async (event, ports) => {
    const { by } = By.parse(event.queryStringParameters ?? {});
    return json(202, view(await ports.replay(event.pathParameters?.['id'] ?? '', by)));
  },
  'DELETE /failures/{id}': async (event, ports) => {
    const failure = await find(event, ports);
    const { by } = By.parse(event.queryStringParameters ?? {});
    if (failure.status === 'dismissed') return json(200, view(failure));
    return saved(
      await ports.failures.save({
        ...failure,
        status: 'dismissed',
        dismissed: { at: instant(ports.now()), by },
      }),
    );
  },
};

const saved = (failure: Failure | undefined): APIGatewayProxyStructuredResultV2 =>
  failure
    ? json(200, view(failure))
    : problem(409, 'write-conflict', 'Somebody else has changed this failure. Look at it again.');

const view = ({ version: _, occurrence: __, payloadKey: ___, ...failure }: Failure): object => ({
  ...failure,
  ...explanationOf(failure.code),
});

/** A payload that is not JSON, which is why it failed, is shown as the text that it is. */
const readable = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** A page may hold fewer than asked for, even none, and still have a `next`. */
const page = async (
  failures: Failures,
  { stage, code, status, limit, cursor }: z.output<typeof Query>,
): Promise<object> => {
  const items: Failure[] = [];
  let read = 0;
  let last: Failure | undefined;
  const before = cursor && { failedAt: cursor[0], id: cursor[1] };
  for await (const found of failures.list({ stage, before })) {
    for (const failure of found) {
      if (items.length === limit || read === MOST_READ) return { items: items.map(view), next: next(last) };
      read++;
      last = failure;
      if ((status === 'all' || failure.status === status) && (code === undefined || failure.code === code))
        items.push(failure);
    }
  }
  return { items: items.map(view) };
};

const next = (last: Failure | undefined): string | undefined =>
  last && Buffer.from(`${last.failedAt}#${last.id}`).toString('base64url');
