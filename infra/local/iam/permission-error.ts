import { ServiceError } from '../protocol/json.ts';

/** A delivery or a deployment that a policy does not allow. It is not retried. */
export class PermissionError extends ServiceError {
  constructor(message: string) {
    super('AccessDenied', message, 403);
    this.name = 'PermissionError';
  }
}
