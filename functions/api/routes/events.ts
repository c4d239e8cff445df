import * as z from 'zod';
import type { ErrorCode } from '../../../core/errors.ts';
import { parseJson } from '../../../core/formats/payload.ts';
import { interactionId } from '../../../core/interaction/interaction.ts';
import {
  contentKey,
  interactionOfReport,
  MOST_REPORTS,
  Report,
  Reports,
} from '../../../core/interaction/report.ts';
import type { InteractionMessage } from '../../contracts/messages/record.ts';
import { problem } from '../../middleware/http.ts';
import { bodyBytes, type Route } from './route.ts';

export interface EventPorts {
  /** Queues messages; resolves to the positions of those that the queue did not accept. */
  readonly enqueueAll: (messages: readonly string[]) => Promise<ReadonlySet<number>>;
  readonly now: () => number;
}

/** The result of one reported event. */
type Result =
  | { readonly status: 'accepted'; readonly id: string }
  | { readonly status: 'refused' | 'try-again'; readonly code: ErrorCode; readonly detail: string };

/** The provider of events reported by the API: their ids differ from those of every vendor. */
const PROVIDER = 'api';
const LARGEST_BYTES = 200_000;

/**
 * `POST /events`: up to 1,000 events, each accepted or refused on its own, with the results in their order. Status 202 where
 * all were accepted, 207 where some were, 400 where none was, 503 where the queue accepted none.
 */
export const reportEvents: Route<EventPorts> = async (event, { enqueueAll, now }) => {
  const reports = Reports.safeParse(parseJson(bodyBytes(event)));
  if (!reports.success)
    return problem(
      400,
      'invalid-events',
      `Send one event, a list, or {"events": [...]}: 1 to ${MOST_REPORTS} of them.`,
    );
  const receivedAt = new Date(now()).toISOString();
  const validated = reports.data.map((one) => validate(one, receivedAt));
  const valid = validated.flatMap((one, position) => ('message' in one ? [{ position, ...one }] : []));
  const lost = await enqueueAll(valid.map(({ message }) => message));
  const notQueued = new Set([...lost].map((at) => valid[at]?.position));
  const results = validated.map((one, position): Result => {
    if (!('message' in one)) return one;
    return notQueued.has(position)
      ? {
          status: 'try-again',
          code: 'enqueue-failure',
          detail: 'The queue did not accept it. Send it again.',
        }
      : { status: 'accepted', id: one.id };
  });
  const accepted = results.filter(({ status }) => status === 'accepted').length;
  const none = results.some(({ status }) => status === 'try-again') ? 503 : 400;
  return {
    statusCode: accepted === results.length ? 202 : accepted > 0 ? 207 : none,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ accepted, results }),
  };
};

const validate = (
  one: unknown,
  receivedAt: string,
): { readonly id: string; readonly message: string } | Result => {
  const report = Report.safeParse(one);
  if (!report.success)
    return { status: 'refused', code: 'invalid-event', detail: z.prettifyError(report.error) };
  const interaction = {
    ...interactionOfReport(report.data, contentKey(report.data)),
    provider: PROVIDER,
    account: undefined,
  };
  const { account: _none, ...act } = interaction;
  const message = JSON.stringify({
    type: 'interaction',
    receivedAt,
    interaction: act,
  } satisfies InteractionMessage);
  return Buffer.byteLength(message) > LARGEST_BYTES
    ? { status: 'refused', code: 'oversized-event', detail: `An event may have ${LARGEST_BYTES} bytes.` }
    : { id: interactionId(PROVIDER, undefined, act.key), message };
};
