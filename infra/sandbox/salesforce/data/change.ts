import type { Fields } from '../../protocol/sandbox.ts';
import type { ObjectType } from '../schema/fields.ts';

/** On whose behalf something is done. */
export interface Caller {
  /** The id of the user. */
  readonly user: string;
  /** As change events report it. */
  readonly origin: string;
  /** `Sforce-Duplicate-Rule-Header`. */
  readonly allowDuplicates: boolean;
  readonly recordDetails: boolean;
  /** What is done was done long ago, and is not reported. */
  readonly longAgo?: boolean;
  /** Whether somebody else has locked the records of an object. */
  locked(object: string): boolean;
}

export interface Change {
  readonly kind: 'CREATE' | 'UPDATE' | 'DELETE' | 'UNDELETE';
  readonly type: ObjectType;
  readonly id: string;
  readonly before: Fields;
  readonly after: Fields;
}
