import { HubError } from '../../core/errors.ts';

/** The file of a job's result. Throws `HubError` `download-failure` where the bucket does not give it. */
export const downloadResult = async (url: string): Promise<Response> => {
  const answer = await fetch(url);
  if (answer.ok) return answer;
  throw new HubError(
    'download-failure',
    `The result cannot be downloaded: the bucket answered ${answer.status}. Run the command again.`,
    { retry: 'never' },
  );
};
