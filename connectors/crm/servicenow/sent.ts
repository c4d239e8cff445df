import type { Known } from './describe.ts';
import type { Row } from './rest/table.ts';

/** A record as it is sent. */
export interface Sent {
  readonly key: string;
  /** The sys_id by which it is changed; without one it is new. */
  readonly id: string | undefined;
  /** Whether the hub knew the sys_id before. */
  readonly isLinked: boolean;
  readonly body: Row;
}

/** Where records are sent. */
export interface Target {
  readonly object: string;
  readonly keyField: string;
  readonly known: Known;
}
