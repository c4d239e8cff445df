import * as z from 'zod';
import { explanationOf } from '../../../core/errors/catalogue.ts';
import { Failure } from '../../../core/errors/failure.ts';
import { Instant, instant } from '../../../core/interaction/interaction.ts';
import type { Failures } from '../../aws/operations/failures.ts';
import { type ReplayPorts, unknownFailure } from '../../aws/operations/replay.ts';
import { stageOf } from '../../contracts/stages/index.ts';
import { problem } from '../../middleware/http.ts';
import {
  type Answer,
  bodyText,
  Cursor,
  cursorOf,
  json,
  pathParameter,
  type Route,
  type Routes,
  withQuery,
} from './route.ts';

export interface FailurePorts {
  readonly failures: Failures;
  readonly replay: (id: string, by: string) => Promise<Failure>;
  readonly now: ReplayPorts['now'];
}

/** Rows that one request reads, however few of them pass its filter. */
const MOST_READ = 1000;

const Query = z.strictObject({
  stage: z.string().optional(),
  code: z.string().optional(),
  status: z.enum([...Failure.shape.status.options, 'all']).default('open'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: Cursor.transform((text) => text.split('#'))
    .pipe(z.tuple([Instant, z.string()]))
    .optional(),
});

/** Who acts, for the row. It is not verified: an API key may act for several people. */
const By = z.object({ by: z.string().min(1).max(100).default('api') });

/** The failure whose id is in the path. Throws `HubError` `unknown-failure`, which is answered as 404. */
const failureOf = async (
  event: Parameters<Route<FailurePorts>>[0],
  { failures }: FailurePorts,
): Promise<Failure> => {
  const failure = await failures.get(pathParameter(event, 'id'));
  if (failure) return failure;
  throw unknownFailure();
};

/** Failures: list, show, edit, replay, dismiss. */
export const failureRoutes: Routes<FailurePorts> = {
  'GET /failures': withQuery(Query, async (query, _event, { failures }) =>
    json(200, await page(failures, query)),
  ),
  'GET /failures/{id}': async (event, ports) => {
    const failure = await failureOf(event, ports);
    const text = await ports.failures.payload(failure);
    return json(200, { ...view(failure), payload: text === undefined ? null : readable(text) });
  },
  'PUT /failures/{id}/payload': withQuery(By, async ({ by }, event, ports) => {
    const failure = await failureOf(event, ports);
    if (failure.status !== 'open')
      return problem(
        409,
        'closed-failure',
        `This failure is ${failure.status}; only an open one can be edited.`,
      );
    const payload = bodyText(event);
    // Throws where the payload does not fit the schema of its stage, and names the key.
    stageOf(failure.stage).expectValid(payload);
    await ports.failures.putPayload(failure, payload);
    return savedAnswer(await ports.failures.save({ ...failure, edited: { at: instant(ports.now()), by } }));
  }),
  'POST /failures/{id}/replay': withQuery(By, async ({ by }, event, ports) =>
    json(202, view(await ports.replay(pathParameter(event, 'id'), by))),
  ),
  'DELETE /failures/{id}': withQuery(By, async ({ by }, event, ports) => {
    const failure = await failureOf(event, ports);
    if (failure.status === 'dismissed') return json(200, view(failure));
    return savedAnswer(
      await ports.failures.save({
        ...failure,
        status: 'dismissed',
        dismissed: { at: instant(ports.now()), by },
      }),
    );
  }),
};

const savedAnswer = (failure: Failure | undefined): Answer =>
  failure
    ? json(200, view(failure))
    : problem(409, 'write-conflict', 'The failure changed concurrently. Look at it again.');

const view = ({ version: _, occurrence: __, payloadKey: ___, ...failure }: Failure): object => ({
  ...failure,
  ...explanationOf(failure.code),
});

/** A payload as JSON; as text where it is not JSON, which may be why it failed. */
const readable = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** A page may have fewer items than the limit, even none, and still a `next`: at most `MOST_READ` rows are read. */
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
  last && cursorOf(`${last.failedAt}#${last.id}`);
