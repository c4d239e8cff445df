import type { Listening } from './server.ts';

/** Fields by the names of the CRM's API. */
export type Fields = Readonly<Record<string, unknown>>;

/** A record as the CRM holds it. */
export interface HeldRecord {
  readonly id: string;
  readonly fields: Fields;
}

/** What can be wrong with a CRM. */
export const faultKinds = [
  /** The account lacks `field` of `object`: requests that name it are refused, as after its deletion by an administrator. */
  'missing-field',
  /** The credentials may not use `object`. */
  'missing-scope',
  /** Credentials are refused, also those of an open session. */
  'login-refused',
  /** 503 for everything. */
  'down',
  /** Throttled for a short time, with the headers of the vendor. */
  'rate-limited',
  /** The allowance of the day is used up. */
  'daily-limit',
  /** Answers come late. */
  'slow',
  /** A write is done, and the connection is closed before its answer. */
  'lost-response',
  /** Open sessions end; a new login is accepted. */
  'expired-session',
  /** Records of `object` are locked by somebody else. */
  'row-lock',
  /** A page of HTML with status 200, as proxies and hibernating instances send. */
  'html',
] as const;

export interface Fault {
  readonly kind: (typeof faultKinds)[number];
  /** The object that is concerned; default every one. */
  readonly object?: string;
  readonly field?: string;
  /** The number of requests that are concerned; default all until the fault is ended. */
  readonly times?: number;
}

/** Somebody at work in the CRM's own pages. Changes are reported as the CRM reports them. Throws `Error` where no record, or more than one, is as described. */
export interface Staff {
  /** Returns the id of the new record. */
  create(object: string, fields: Fields): string;
  update(object: string, where: Fields, set: Fields): void;
  delete(object: string, where: Fields): void;
  merge(object: string, keep: Fields, other: Fields): void;
}

/** A CRM on this machine. `Report` is what it sends about changes. */
export interface Sandbox extends Listening {
  /** What a client needs to log in. */
  readonly secret: Readonly<Record<string, string>>;
  /** The objects of which there are records. */
  objects(): readonly string[];
  /** The records of an object, the oldest first, without deleted ones. */
  records(object: string): readonly HeldRecord[];
  /** Puts a record there as if staff had made it long ago; nothing is reported. Returns its id. */
  seed(object: string, fields: Fields): string;
  readonly staff: Staff;
  /** Puts a fault in force; returns what ends it. */
  fault(fault: Fault): () => void;
  /** The number of API requests so far, without logins: all, or those whose `METHOD path` contains `part`. */
  requests(part?: string): number;
}

export interface SandboxOptions<Report> {
  /** 0, the default: any free port. */
  readonly port?: number;
  /** Epoch milliseconds; default the clock of the machine. */
  readonly now?: () => number;
  /** Called after every write, also those over the API, with what the CRM sends about it. */
  readonly report?: (report: Report) => void;
}
