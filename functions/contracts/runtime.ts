import type { HttpRequest, HttpResponse, RequestHandler } from '@smithy/types';
import type { Sender } from '../../core/triggers/sender.ts';

/**
 * What a function is given of the world. In Lambda it is the process's own; tests and scenarios hand in a virtual clock
 * and AWS bindings that reach the local runtime without a socket.
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
  /** The way to vendors' HTTP APIs; the global `fetch` where it is absent. */
  readonly fetch?: typeof fetch;
  /** Senders beside the shipped ones, by the id that hub.yaml names. */
  readonly senders?: Readonly<Record<string, Sender>>;
  /** Bindings for AWS clients; absent where the SDK's own defaults hold. */
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
