import * as z from 'zod';
import { Job } from './jobs.ts';
import { type HubConnection, request } from './request.ts';

const FailureSummary = z.looseObject({
  id: z.string(),
  stage: z.string(),
  code: z.string(),
  reason: z.string(),
  failedAt: z.string(),
  /** How often it failed. */
  count: z.number(),
});
type FailureSummary = z.infer<typeof FailureSummary>;

/** `payload`: the queue message that failed; the other members are those of `FailureSummary`. */
const Failure = z.looseObject({ payload: z.json() });
const FailurePage = z.object({ items: z.array(FailureSummary), next: z.string().optional() });
const Anything = z.looseObject({});

export interface FailureFilter {
  readonly stage: string | undefined;
  readonly code: string | undefined;
}

const FAILURES_PER_PAGE = 200;

/** Reads all failures that pass the filter, page after page, newest first. */
export async function* failureSummaries(
  hub: HubConnection,
  filter: FailureFilter & { readonly status: string | undefined },
): AsyncGenerator<FailureSummary> {
  let cursor: string | undefined;
  do {
    const page: z.infer<typeof FailurePage> = await request(
      hub,
      { method: 'GET', path: ['failures'], query: { ...filter, limit: String(FAILURES_PER_PAGE), cursor } },
      FailurePage,
    );
    yield* page.items;
    cursor = page.next;
  } while (cursor !== undefined);
}

export const getFailure = (hub: HubConnection, id: string): Promise<z.infer<typeof Failure>> =>
  request(hub, { method: 'GET', path: ['failures', id] }, Failure);

export const putFailurePayload = async (
  hub: HubConnection,
  id: string,
  payload: unknown,
  by: string,
): Promise<void> => {
  await request(
    hub,
    { method: 'PUT', path: ['failures', id, 'payload'], query: { by }, body: payload },
    Anything,
  );
};

/** Puts the payload back on the queue that it came from. */
export const replayFailure = async (hub: HubConnection, id: string, by: string): Promise<void> => {
  await request(hub, { method: 'POST', path: ['failures', id, 'replay'], query: { by } }, Anything);
};

export const dismissFailure = async (hub: HubConnection, id: string, by: string): Promise<void> => {
  await request(hub, { method: 'DELETE', path: ['failures', id], query: { by } }, Anything);
};

/** Starts a job that replays every open failure that passes the filter. `before`: an instant. */
export const replayFailures = (
  hub: HubConnection,
  body: FailureFilter & { readonly before: string | undefined; readonly by: string },
): Promise<Job> => request(hub, { method: 'POST', path: ['failures', 'replay'], body }, Job);
