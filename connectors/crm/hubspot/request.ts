import type { Client } from '@hubspot/api-client/lib/src/client.js';
import type { ZodType } from 'zod';
import type { Call } from '../../../core/crm/connector.ts';
import { jsonWithin } from '../../../core/formats/payload.ts';
import { callFaultOf, down, faultOf, ofObject, Refusal } from './faults.ts';

/** The version of the API in every dated path. HubSpot supports a version for eighteen months. */
export const VERSION = '2026-09';

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** The object that the question is about; a question without one is about the account. */
  readonly object?: string;
}

/** An answer of HubSpot's API; `refusal` where it does not accept what was asked, with the status of the answer. */
export type Reply<Value> = { readonly value: Value } | { readonly refusal: Refusal; readonly status: number };

export interface Api {
  /** Rejects with a `CrmFault` for every answer that concerns more than the records of the question. */
  readonly ask: <Value>(question: Question, answer: ZodType<Value>, call: Call) => Promise<Reply<Value>>;
  /** As `ask`; rejects with a fault of the object for a refusal too. */
  readonly need: <Value>(question: Question, answer: ZodType<Value>, call: Call) => Promise<Value>;
  /** The header Date of the last answer. */
  readonly lastDate: () => string | undefined;
}

/** What a session needs of a login. */
export interface Access {
  readonly client: () => Client;
  /** Gets another token, after `stale` was refused. Absent where only a person can give another one. */
  readonly renew?: (stale: Client, signal: AbortSignal) => Promise<void>;
}

export const openApi = (access: Access): Api => {
  let date: string | undefined;
  const send = async (client: Client, question: Question, call: Call): Promise<Raw> => {
    await call.spend();
    const { method, path, query, body } = question;
    const options = { method, path, ...(query && { qs: query }), ...(body && encoded(body)) };
    const raw = await exchange(client, options, call.signal);
    date = raw.headers.get('date') ?? undefined;
    observe(raw.headers, call);
    return raw;
  };
  const ask = async <Value>(
    question: Question,
    answer: ZodType<Value>,
    call: Call,
  ): Promise<Reply<Value>> => {
    const client = access.client();
    let raw = await send(client, question, call);
    if (raw.status === 401 && access.renew !== undefined) {
      await access.renew(client, call.signal);
      raw = await send(access.client(), question, call);
    }
    return read(raw, answer, question.object);
  };
  return {
    ask,
    lastDate: () => date,
    async need(question, answer, call) {
      const reply = await ask(question, answer, call);
      if ('value' in reply) return reply.value;
      throw ofObject(faultOf(reply.refusal, question.object ?? 'the account', reply.status));
    },
  };
};

const read = <Value>(raw: Raw, answer: ZodType<Value>, object: string | undefined): Reply<Value> => {
  const { status, headers, body } = raw;
  if (status < 300) {
    const parsed = answer.safeParse(body);
    if (parsed.success) return { value: parsed.data };
    throw down(`HubSpot answered ${status} with something that is not of its API.`, parsed.error);
  }
  const refusal = Refusal.safeParse(body);
  const fault = callFaultOf(status, headers, refusal.data ?? Refusal.parse({}), object);
  if (fault !== undefined && (refusal.success || fault.why !== 'setup')) throw fault;
  if (!refusal.success) throw down(`HubSpot answered ${status} with something that is not of its API.`);
  return { refusal: refusal.data, status };
};

/** The members of a request that carry its body: JSON, or a form where the body is one. */
export const encoded = (body: object) =>
  body instanceof URLSearchParams
    ? { body, defaultJson: false, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }
    : { body };

interface Raw {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined if the answer is not JSON. An answer without content is an empty object. */
  readonly body: unknown;
}

/**
 * Sends one request and reads its answer. The client passes no signal on: an aborted request is left to itself, and its
 * answer is dropped. Rejects with a fault `down`.
 */
export const exchange = async (
  client: Client,
  options: NonNullable<Parameters<Client['apiRequest']>[0]>,
  signal: AbortSignal,
): Promise<Raw> => {
  try {
    signal.throwIfAborted();
    const sent = client.apiRequest(options);
    sent.then(
      (late) => (signal.aborted ? late.body?.cancel() : undefined),
      () => undefined,
    );
    const response = await unlessAborted(sent, signal);
    const text = await unlessAborted(response.text(), signal);
    const { status, headers } = response;
    return { status, headers, body: text === '' && status < 300 ? {} : jsonWithin(text) };
  } catch (error) {
    throw down(signal.aborted ? 'HubSpot did not answer in time.' : 'HubSpot could not be reached.', error);
  }
};

const unlessAborted = async <Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
};

const DAY_SECONDS = 86_400;

/** HubSpot sends its headers with every answer but those of searches; the daily ones to private apps only. */
const observe = (headers: Headers, call: Call): void => {
  const read = (name: string): number => Number(headers.get(`x-hubspot-ratelimit-${name}`) ?? Number.NaN);
  const tell = (limit: number, remaining: number, perSeconds: number): void => {
    if (limit > 0 && remaining >= 0 && perSeconds > 0)
      call.observe?.({ used: Math.max(0, limit - remaining), limit, perSeconds });
  };
  tell(read('max'), read('remaining'), read('interval-milliseconds') / 1000);
  tell(read('daily'), read('daily-remaining'), DAY_SECONDS);
};
