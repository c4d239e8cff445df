import { HubError } from '../../core/errors.ts';

/** The sentence for the user of a command; undefined where the error is a bug, whose stack is worth printing. */
export const errorMessage = (error: unknown): string | undefined => {
  if (error instanceof HubError) return error.message;
  if (!(error instanceof Error)) return undefined;
  const code = codeOf(error) ?? codeOf(error.cause);
  if (code?.startsWith('ERR_PARSE_ARGS') === true)
    return `${error.message.split('. ')[0]}. Add --help to list the options.`;
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'ECONNRESET')
    return `No answer (${innermostMessage(error)}). Check that the hub is running and that HUB_URL and AWS_ENDPOINT_URL, where set, are its addresses.`;
  if (error.name === 'TimeoutError') return 'The hub did not answer in time. Try again.';
  if (error.name === 'CredentialsProviderError')
    return 'This shell has no AWS credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for a hub on this machine `npm start` prints them.';
  if (error.message === 'Region is missing') return 'Set AWS_REGION to the region of the hub.';
  if ('$metadata' in error) return `AWS refused the request (${error.name}): ${error.message}`;
  return undefined;
};

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** The message of the first cause: `fetch` itself says only that it failed. */
const innermostMessage = (error: Error): string => {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error.cause instanceof Error ? innermostMessage(error.cause) : error.message;
};
