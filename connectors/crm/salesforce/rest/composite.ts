// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm
// One request carries 25 subrequests, of which five may be collections of 200 records or queries.

import * as z from 'zod';
import type { Call } from '../../../../core/crm/connector.ts';
import { CrmFault } from '../../../../core/crm/fault.ts';
import { faultOfAnswer } from './faults.ts';
import { type Answer, DATA } from './http.ts';
import type { Client, Request } from './session.ts';

/** Collections or queries of one request. */
export const HEAVY_PER_CALL = 5;
export const LIGHT_PER_CALL = 25;

const Composite = z.looseObject({
  compositeResponse: z.array(z.looseObject({ httpStatusCode: z.int(), body: z.unknown() })),
});

export type SubAnswer = Pick<Answer, 'status' | 'body'>;

/**
 * Sends subrequests in one request; each succeeds or fails alone. Rejects with a `CrmFault` if the request is refused as a
 * whole.
 */
export const composite = async (
  client: Client,
  subrequests: readonly Request[],
  call: Call,
): Promise<readonly SubAnswer[]> => {
  const compositeRequest = subrequests.map(({ method, path, body }, at) => ({
    ...{ method, url: `${DATA}${path}`, referenceId: `part${at}` },
    ...(body !== undefined && { body, httpHeaders: client.writing }),
  }));
  const answer = await client.request(
    {
      method: 'POST',
      path: '/composite',
      body: { allOrNone: false, collateSubrequests: false, compositeRequest },
    },
    call,
  );
  const fault = faultOfAnswer(answer);
  if (fault !== undefined) throw fault;
  const parsed = Composite.safeParse(answer.body);
  if (!parsed.success || parsed.data.compositeResponse.length !== subrequests.length) throw incomplete();
  return parsed.data.compositeResponse.map(({ httpStatusCode, body }) => ({ status: httpStatusCode, body }));
};

export const incomplete = (): CrmFault =>
  new CrmFault(
    'unavailable-crm',
    'Salesforce left a part of its answer out. What it left out is sent again.',
    { scope: 'connection', why: 'down' },
  );

export const chunked = <One>(list: readonly One[], size: number): One[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));
