import type { Runtime } from '../../contracts/runtime.ts';
import { signedCalls } from './signed.ts';

/** SNS takes a subject of a hundred characters of ASCII: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const LONGEST_SUBJECT = 100;

/** Publishes on a topic whose subscribers get e-mails. Rejects with `AwsRefusal`. */
export const publishTo = (
  runtime: Runtime,
  topic: string | undefined,
): ((subject: string, text: string) => Promise<void>) => {
  const aws = signedCalls(runtime);
  return async (subject, text) => {
    const Subject = subject.replaceAll(/[^ -~]/gu, '?').slice(0, LONGEST_SUBJECT);
    await aws.query('sns', 'Publish', { TopicArn: topic ?? '', Subject, Message: text });
  };
};
