import { HubError } from '../../core/errors.ts';

/** The error of a command whose arguments are wrong; `message` says what is expected. */
export const badArguments = (message: string): HubError =>
  new HubError('invalid-arguments', message, { retry: 'never' });
