import { aws_events as events } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { WorkQueue } from './work-queue.ts';

interface EventRuleProps {
  readonly bus: events.EventBus;
  readonly detailTypes: readonly string[];
  /** What `detail` must contain besides, as an event pattern. */
  readonly detail?: Readonly<Record<string, readonly (string | { readonly exists: boolean })[]>>;
  readonly queue: WorkQueue;
  /** The members of the queue message by the JSON paths of the event that fill them. */
  readonly message: Readonly<Record<string, string>>;
  /** The same of members that are objects: EventBridge inserts these as JSON. */
  readonly objects?: Readonly<Record<string, string>>;
  /** Members that are true in every message. */
  readonly flags?: readonly string[];
}

/** Interactions that `record` has not sent to the queue itself: see `functions/record/batches.ts`. */
export const notBatched = { batched: [{ exists: false }] } as const;

/** A rule that turns events of the hub into messages of a queue. Messages carry ids alone; the consumer loads the rows. */
export const createEventRule = (
  scope: Construct,
  id: string,
  {
    bus,
    detailTypes,
    detail,
    queue: { queue, deadLetters },
    message,
    objects = {},
    flags = [],
  }: EventRuleProps,
): events.CfnRule => {
  const members = [
    ...Object.keys(message).map((name) => `"${name}":"<${name}>"`),
    ...Object.keys(objects).map((name) => `"${name}":<${name}>`),
    ...flags.map((name) => `"${name}":true`),
  ];
  return new events.CfnRule(scope, id, {
    eventBusName: bus.eventBusName,
    eventPattern: { source: ['tributary'], 'detail-type': detailTypes, ...(detail && { detail }) },
    targets: [
      {
        id: 'queue',
        arn: queue.queueArn,
        deadLetterConfig: { arn: deadLetters.queueArn },
        inputTransformer: {
          inputPathsMap: { ...message, ...objects },
          inputTemplate: `{${members.join(',')}}`,
        },
      },
    ],
  });
};
