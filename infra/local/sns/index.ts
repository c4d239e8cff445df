import type { SentMessages } from '../inbox/sent-messages.ts';
import { answerQuery, queryOperation } from '../protocol/query.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';
import { push } from './push.ts';
import { type TopicOptions, topics } from './topics.ts';

const MAIL_FROM = 'no-reply@sns.amazonaws.com';

/** Whether a request without a signature is for SNS: its certificates and its links need none. */
export const isOpenToAll = ({
  method,
  path,
  query,
}: {
  method: string;
  path: string;
  query: string;
}): boolean =>
  method === 'GET' &&
  (path.startsWith('/SimpleNotificationService-') ||
    /^(?:ConfirmSubscription|Unsubscribe)$/u.test(new URLSearchParams(query).get('Action') ?? ''));

export interface Sns extends AwsService {
  /** Publishes on behalf of another service. @throws ServiceError when the topic does not exist. */
  publish(topicArn: string, message: string): Promise<void>;
}

/** The local SNS: topics, and push notifications to platform endpoints. */
export const sns = (context: ServiceContext, sent: SentMessages, options: TopicOptions = {}): Sns => {
  const endpoints = push(context, sent);
  const {
    operations: { Publish, ...operations },
    certificate,
  } = topics(context, {
    mail: (to, subject, text) =>
      sent.add({
        ...{ id: context.newId(), at: new Date(context.clock.now()).toISOString(), medium: 'email' },
        ...{ to: [to], from: MAIL_FROM, subject, text },
      }),
    ...options,
  });
  return {
    signingName: 'sns',
    operation: queryOperation,
    async handle(request) {
      const pem = request.method === 'GET' ? certificate(request.path) : undefined;
      if (pem !== undefined)
        return { status: 200, headers: { 'content-type': 'application/x-pem-file' }, body: pem };
      return answerQuery(request, 'http://sns.amazonaws.com/doc/2010-03-31/', {
        ...operations,
        ...endpoints.operations,
        Publish: (input) =>
          (input.get('TargetArn') ?? '').includes(':endpoint/') ? endpoints.publish(input) : Publish(input),
      });
    },
    async publish(TopicArn, Message) {
      await Publish(new URLSearchParams({ TopicArn, Message }));
    },
  };
};
