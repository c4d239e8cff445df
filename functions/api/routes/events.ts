import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import type { ErrorCode } from '../../../core/errors.ts';
import { parseJson } from '../../../core/formats/payload.ts';
import { interactionId } from '../../../core/interaction/interaction.ts';
import { contentKey, MOST_REPORTS, Report, Reports, reported } from '../../../core/interaction/report.ts';
import type { InteractionMessage } from '../../contracts/messages/record.ts';
import { problem } from '../../middleware/http.ts';

export interface EventPorts {
  /** Queues messages and resolves to the positions of those that were not taken. */
  readonly enqueueAll: (messages: readonly string[]) => Promise<ReadonlySet<number>>;
  readonly now: () => number;
}

/** What became of one reported act, in the order in which they were reported. */
type Result =
  | { readonly status: 'accepted'; readonly id: string }
  | { readonly status: 'refused' | 'try-again'; readonly code: ErrorCode; readonly detail: string };

/** The provider of acts that came over the API: their ids are apart from those of every vendor. */
const PROVIDER = 'api';
const LARGEST_BYTES = 200_000;

/**
 * `POST /events`: up to 1,000 acts at once, each taken or refused by itself. 202 where all were taken, 207 where some were,
 * 400 where none was, 503 where the queue took none.
 */
export const reportEvents = async (
  event: APIGatewayProxyEventV2,
  { enqueueAll, now }: EventPorts,
): Promise<APIGatewayProxyStructuredResultV2> => {
  const body = parseJson(Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'));
  const reports = Reports.safeParse(body);
  if (!reports.success)
    return problem(
      400,
      'invalid-events',
      `Send one event, a list, or {"events": [...]}: 1 to ${MOST_REPORTS} of them.`,
    );
  const receivedAt = new Date(now()).toISOString();
  const judged = reports.data.map((one) => judge(one, receivedAt));
  const taken = judged.flatMap((one, position) => ('message' in one ? [{ position, ...one }] : []));
  const lost = await enqueueAll(taken.map(({ message }) => message));
  const notQueued = new Set([...lost].map((at) => taken[at]?.position));
  const results = judged.map((one, position): Result => {
    if (!('message' in one)) return one;
    return notQueued.has(position)
      ? { status: 'try-again', code: 'enqueue-failure', detail: 'The queue did not take it. Send it again.' }
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

const judge = (
  one: unknown,
  receivedAt: string,
): { readonly id: string; readonly message: string } | Result => {
  const report = Report.safeParse(one);
  if (!report.success)
    return { status: 'refused', code: 'invalid-event', detail: z.prettifyError(report.error) };
  const interaction = {
    ...reported(report.data, contentKey(report.data)),
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
