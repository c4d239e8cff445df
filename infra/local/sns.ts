import type { Outbox } from './outbox.ts';
import { answerQuery, queryOperation } from './query-protocol.ts';
import type { AwsService, Surroundings } from './service.ts';
import { push } from './sns-push.ts';
import { type TopicOptions, topics } from './sns-topics.ts';

/** SNS on one machine: topics, and push to platform endpoints, whose messages land in the outbox. */
export const sns = (surroundings: Surroundings, sent: Outbox, options: TopicOptions = {}): AwsService => {
  const endpoints = push(surroundings, sent);
  const { Publish, ...operations } = topics(surroundings, options);
  return {
    signingName: 'sns',
    operation: queryOperation,
    handle: (request) =>
      answerQuery(request, 'http://sns.amazonaws.com/doc/2010-03-31/', {
        ...operations,
        ...endpoints.operations,
        Publish: (input) =>
          (input.get('TargetArn') ?? '').includes(':endpoint/') ? endpoints.publish(input) : Publish(input),
      }),
  };
};
