/** Why a valid trigger cannot be published. `path`: of the key in its file. */
export interface PublishFault {
  readonly code: 'oversized-pattern' | 'invalid-pattern' | 'missing-template' | 'unknown-team';
  readonly path: readonly PropertyKey[];
  readonly message: string;
}
