import { HubError } from '../../core/errors.ts';

/** What went wrong with a command, for the person before the screen; undefined where it is a fault of the program. */
export const errorMessage = (error: unknown): string | undefined => {
  if (error instanceof HubError) return error.message;
  if (!(error instanceof Error)) return undefined;
  const code = codeOf(error) ?? codeOf(error.cause);
  if (code?.startsWith('ERR_PARSE_ARGS') === true)
    return `${error.message.split('. ')[0]}. \`hub help\` lists what there is.`;
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'ECONNRESET')
    return `Nobody answers (${detailOf(error)}). Is the hub running, and are HUB_URL and AWS_ENDPOINT_URL, where they are set, its addresses?`;
  if (error.name === 'TimeoutError') return 'The hub did not answer in time. Try again.';
  if (error.name === 'CredentialsProviderError')
    return 'There are no AWS credentials in this shell. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for a hub on this machine `npm start` prints them.';
  if (error.message === 'Region is missing') return 'AWS_REGION is not set: which region is the hub in?';
  if ('$metadata' in error) return `AWS refused (${error.name}): ${error.message}`;
  return undefined;
};

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** The innermost message: `fetch` says only that it failed. */
const detailOf = (error: Error): string => {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error.cause instanceof Error ? detailOf(error.cause) : error.message;
};
