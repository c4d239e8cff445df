import { CrmFault } from '../../../../core/crm/fault.ts';
import { jsonWithin } from '../../../../core/formats/payload.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed JSON; undefined for a body that is none, such as the page of a hibernating instance. */
  readonly body: unknown;
}

/** Sends one request, once. Resolves with every answer, refusals too. Rejects with a `CrmFault` `down` if there is none. */
export const exchange = async (
  url: string,
  init: { readonly method: string; readonly headers: Record<string, string>; readonly body?: string },
  signal: AbortSignal,
): Promise<Answer> => {
  try {
    const response = await fetch(url, { ...init, signal, redirect: 'manual' });
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: jsonWithin(await response.text()),
    };
  } catch (cause) {
    throw withoutAnswer(signal, cause);
  }
};

const withoutAnswer = (signal: AbortSignal, cause: unknown): CrmFault =>
  new CrmFault(
    'unavailable-crm',
    signal.aborted
      ? 'The request to ServiceNow was stopped before its answer, because the time of the function ends. It is sent again.'
      : 'ServiceNow could not be reached, or its answer was lost. If it lasts, check instanceUrl in the secret.',
    { scope: 'connection', why: 'down', cause },
  );
