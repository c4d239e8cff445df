import type { HttpRequest, HttpResponse, RequestHandler } from '@smithy/types';
import type { Sender } from '../../core/triggers/sending/sender.ts';

/**
 * The environment of a function: variables, clock, ids, randomness and AWS. In Lambda it is the process's own; tests and
 * scenarios pass a virtual clock and AWS bindings that reach the local runtime without a socket.
 */
export interface Runtime {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** A fresh unique id. */
  readonly newId: () => string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Waits some milliseconds between two attempts at the same rows; a timer where it is absent. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
  /** For the HTTP APIs of vendors; the global `fetch` where it is absent. */
  readonly fetch?: typeof fetch;
  /** Senders in addition to the shipped ones, by their id in hub.yaml. */
  readonly senders?: Readonly<Record<string, Sender>>;
  /** Bindings for AWS clients; the SDK's defaults where it is absent. */
  readonly aws?: {
    readonly requestHandler: RequestHandler<HttpRequest, HttpResponse>;
    readonly fetch: (request: Request) => Promise<Response>;
  };
}

export const processRuntime = (): Runtime => ({
  env: process.env,
  now: () => Date.now(),
  newId: () => crypto.randomUUID(),
  random: () => Math.random(),
});
