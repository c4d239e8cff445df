import type * as z from 'zod';
import { HubError } from '../../errors.ts';
import { jsonWithin, memberOf } from '../../formats/payload.ts';
import { NotNow, type NotNowReason, type OutgoingMessage, refusal } from './sender.ts';
import type { SenderDeclaration, SenderFields } from './sender-declaration.ts';

/** The values of a secret: those that may be left out may be undefined. */
type Values<Fields extends SenderFields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends { readonly optional: true }
    ? string | undefined
    : string;
};

/** One HTTP request to a vendor; a POST where it has a body. */
interface VendorRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: object;
  readonly form?: Readonly<Record<string, string>>;
}

export interface VendorAnswer<Body = unknown> {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the answer; undefined where it is none. */
  readonly body: Body;
}

/**
 * Some of a vendor's codes: why it does not take the message now, that it never will, or that nobody knows whether it has
 * taken it. `advice` is a sentence: the cause, and what to do about it.
 */
export interface VendorErrors {
  readonly means: NotNowReason | 'never' | 'unknown';
  readonly codes: readonly (string | number)[];
  readonly advice?: string;
}

interface VendorApi<Fields extends SenderFields> {
  readonly secret: Values<Fields>;
  /** The public address of the hub, without a slash at its end. */
  readonly publicUrl: string;
  /** Resolves to an accepted answer. Rejects with `refusal` or `NotNow`, or else the message may have been sent. */
  request<Body>(request: VendorRequest, schema: z.ZodType<Body>): Promise<VendorAnswer<Body>>;
}

interface HttpSender<Fields extends SenderFields> extends Omit<SenderDeclaration<unknown>, 'build'> {
  readonly secrets: Fields;
  /** The vendor's name in sentences. */
  readonly vendor: string;
  /** The vendor's own code in an answer that accepts nothing. */
  readonly codeOf: (answer: VendorAnswer) => string | number | undefined;
  /** The codes that the vendor documents; of others the HTTP status decides. */
  readonly errors: readonly VendorErrors[];
  /** After how many seconds the vendor wants the next request, where its answer says it elsewhere than in `Retry-After`. */
  readonly retryAfterOf?: (answer: VendorAnswer) => number | undefined;
  /** Whether the vendor has accepted the request; a status of 2xx without a code, where it is absent. */
  readonly accepts?: (answer: VendorAnswer) => boolean;
  readonly send: (message: OutgoingMessage, api: VendorApi<Fields>) => Promise<string>;
  /** A request that sends nothing. Resolves to what the credentials lead to. */
  readonly check: (api: VendorApi<Fields>) => Promise<string>;
}

/** What a sender over HTTP is built with. */
export interface HttpContext {
  readonly fetch: typeof fetch;
  /** A fresh signal that aborts one HTTP request when its time is over: after that nobody knows whether it was sent. */
  readonly timeLimit: () => AbortSignal;
  /** The stored secret of a sender, by the sender's id. */
  readonly secret: (sender: string) => Promise<unknown>;
  /** The public address of the hub, without a slash at its end. */
  readonly publicUrl: string;
}

/** A sender whose vendor has an HTTP API. The files of vendors catch nothing: every failure is sorted here. */
export const httpSender = <const Fields extends SenderFields>(
  vendor: HttpSender<Fields>,
): SenderDeclaration<HttpContext> => {
  const { vendor: _, codeOf, errors, retryAfterOf, accepts, send, check, ...declared } = vendor;
  return {
    ...declared,
    build({ fetch, timeLimit, secret, publicUrl }) {
      const api = async (): Promise<VendorApi<Fields>> => ({
        publicUrl,
        secret: secretOf(vendor, await secret(vendor.id)),
        async request(request, schema) {
          const answer = await fetchAnswer(vendor, request, { fetch, signal: timeLimit() });
          const isAccepted =
            accepts?.(answer) ??
            (answer.status >= 200 && answer.status < 300 && codeOf(answer) === undefined);
          if (!isAccepted) throw errorOf(vendor, answer);
          const body = schema.safeParse(answer.body);
          if (body.success) return { ...answer, body: body.data };
          throw unknownOutcome(vendor, `status ${answer.status} and a body that it does not document`);
        },
      });
      return {
        send: async (message) => send(message, await api()),
        check: async () => check(await api()),
      };
    },
  };
};

/** A header or an address would show more than a value, or fail with it, where it had other characters. */
const VALUE = /^[\x20-\x7e]+$/u;

/** The stored text of a field; undefined where it is none, or none that a header could carry. */
const textOf = (stored: unknown, field: string): string | undefined => {
  const value = memberOf(stored, field);
  const text = typeof value === 'string' ? value.trim() : '';
  return VALUE.test(text) ? text : undefined;
};

const isComplete = <Fields extends SenderFields>(secrets: Fields, values: object): values is Values<Fields> =>
  Object.entries(secrets).every(
    ([field, { optional }]) => optional === true || memberOf(values, field) !== undefined,
  );

/** Throws the refusal that names the fields without a usable value. */
const secretOf = <Fields extends SenderFields>(
  { id, secrets }: Pick<HttpSender<Fields>, 'id' | 'secrets'>,
  stored: unknown,
): Values<Fields> => {
  const values = Object.fromEntries(Object.keys(secrets).map((field) => [field, textOf(stored, field)]));
  if (isComplete(secrets, values)) return values;
  const missing = Object.entries(secrets)
    .filter(([field, { optional }]) => optional !== true && values[field] === undefined)
    .map(([field, { about }]) => `${field} (${about})`);
  throw refusal(
    `The secret of the sender ${id} has no usable ${missing.join(', ')}. Store it with \`hub connect ${id} --sender\`.`,
  );
};

/** Errors of a connection that was never made: the vendor has got nothing. */
const notConnected: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const fetchAnswer = async (
  { vendor }: { readonly vendor: string },
  { url, headers, json, form }: VendorRequest,
  { fetch, signal }: { readonly fetch: HttpContext['fetch']; readonly signal: AbortSignal },
): Promise<VendorAnswer> => {
  const body = json === undefined ? form && new URLSearchParams(form) : JSON.stringify(json);
  const response = await fetch(url, {
    ...{
      signal,
      headers: { ...(json && { 'content-type': 'application/json; charset=utf-8' }), ...headers },
    },
    ...(body !== undefined && { method: 'POST', body }),
  }).catch((cause: unknown) => {
    if (!notConnected.has(memberOf(memberOf(cause, 'cause'), 'code'))) throw cause;
    throw new NotNow('down', `${vendor} cannot be reached.`, { cause });
  });
  return {
    status: response.status,
    headers: response.headers,
    body: jsonWithin(await response.text()),
  };
};

const meaningOfStatus = (status: number): VendorErrors['means'] => {
  if (status === 429) return 'rate';
  if (status === 401) return 'account';
  return status >= 400 && status < 500 && status !== 408 ? 'never' : 'unknown';
};

const errorOf = <Fields extends SenderFields>(
  vendor: Pick<HttpSender<Fields>, 'id' | 'vendor' | 'codeOf' | 'errors' | 'retryAfterOf'>,
  answer: VendorAnswer,
): HubError => {
  const code = vendor.codeOf(answer)?.toString();
  const named = vendor.errors.find(({ codes }) => codes.some((one) => one.toString() === code));
  // A vendor that names an error inside a 200 has refused.
  const isRefused = code !== undefined && answer.status < 300;
  const meaning = named?.means ?? (isRefused ? 'never' : meaningOfStatus(answer.status));
  const reconnect = `Store its credentials again with \`hub connect ${vendor.id} --sender\`.`;
  const advice = named?.advice ?? (meaning === 'account' ? reconnect : '');
  const what = code ?? `status ${answer.status}`;
  const sentence = (text: string): string => [text, advice].filter(Boolean).join(' ');
  if (meaning === 'never') return refusal(sentence(`${vendor.vendor} refused the request (${what}).`));
  if (meaning === 'unknown') return unknownOutcome(vendor, what);
  const waits = sentence(`${vendor.vendor} takes no such request for now (${what}).`);
  const afterSeconds =
    vendor.retryAfterOf?.(answer) ?? Number.parseInt(answer.headers.get('retry-after') ?? '', 10);
  return new NotNow(meaning, waits, afterSeconds > 0 ? { afterSeconds } : {});
};

const unknownOutcome = ({ vendor }: { readonly vendor: string }, answered: string): HubError =>
  new HubError(
    'unavailable-sender',
    `${vendor} answered with ${answered}, so that nobody knows whether it has taken the request.`,
    { retry: 'later' },
  );
