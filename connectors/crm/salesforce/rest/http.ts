import { PassThrough } from 'node:stream';
import type { Connection, HttpRequest, HttpResponse } from 'jsforce/lib/core.js';
import { StreamPromise } from 'jsforce/lib/util/promise.js';
import { CrmFault } from '../../../../core/crm/fault.ts';
import { jsonWithin } from '../../../../core/formats/payload.ts';

export const VERSION = '62.0';
export const DATA = `/services/data/v${VERSION}`;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed JSON; undefined for a body that is none, such as a page of HTML. */
  readonly body: unknown;
  /** The body as it came. */
  readonly text: string;
}

/**
 * Sends one request, once: jsforce's own transport retries some methods and cannot be aborted. Resolves with every answer,
 * refusals too. Rejects with a `CrmFault` `down` if there is none.
 */
export const exchange = async (
  connection: Connection,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Answer> => {
  let response: HttpResponse | undefined;
  const transport = {
    httpRequest: (sent: HttpRequest) =>
      StreamPromise.create(() => ({
        stream: new PassThrough(),
        promise: fetched(sent, signal).then((answered) => {
          response = answered;
          return answered;
        }),
      })),
  };
  // jsforce turns refusals into errors that lack their status and headers, so they are read from the response.
  await connection.request(request, { transport, responseType: 'text/plain' }).catch((cause: unknown) => {
    if (response === undefined) throw withoutAnswer(signal, cause);
  });
  const { statusCode = 0, headers = {}, body = '' } = response ?? {};
  return { status: statusCode, headers, body: jsonWithin(body), text: body };
};

const fetched = async (
  { url, method, headers, body }: HttpRequest,
  signal: AbortSignal,
): Promise<HttpResponse> => {
  const response = await fetch(url, {
    method,
    signal,
    redirect: 'manual',
    ...(headers !== undefined && { headers }),
    ...(typeof body === 'string' && { body }),
  });
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
};

const withoutAnswer = (signal: AbortSignal, cause: unknown): CrmFault =>
  new CrmFault(
    'unavailable-crm',
    signal.aborted
      ? 'The request to Salesforce was stopped before its answer, because the time of the function ends. It is sent again.'
      : 'Salesforce could not be reached, or its answer was lost. If it lasts, check loginUrl in the secret, and https://status.salesforce.com.',
    { scope: 'connection', why: 'down', cause },
  );
