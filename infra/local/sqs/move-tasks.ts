import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { queueNameOf } from './attributes.ts';
import type { Broker } from './broker.ts';
import type { SqsOperation } from './operation.ts';
import type { Queue } from './queues.ts';

const Start = z.looseObject({ SourceArn: z.string(), DestinationArn: z.string().optional() });
const System = z.record(z.string(), z.string());

/** Sending dead letters back. On one machine a task is done when it is answered, and the list keeps the last ten. */
export const moveTasks = (
  { db, clock, newId }: ServiceContext,
  { queues, messages, arn, wake }: Broker,
): Readonly<Record<string, SqsOperation>> => {
  db.exec(
    'CREATE TABLE IF NOT EXISTS sqs_move_tasks (seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, task TEXT NOT NULL) STRICT',
  );
  const keep = db.prepare('INSERT INTO sqs_move_tasks (source, task) VALUES (?, ?)');
  const newest = db.prepare('SELECT task FROM sqs_move_tasks WHERE source = ? ORDER BY seq DESC LIMIT ?');

  const expectSource = (sourceArn: string): Queue => {
    const source = queues.find(queueNameOf(sourceArn));
    if (source === undefined) {
      throw new ServiceError(
        'ResourceNotFoundException',
        "The resource that you specified for the SourceArn parameter doesn't exist.",
      );
    }
    if (queues.all().some(({ settings }) => settings.redrive?.target === source.name)) return source;
    throw new ServiceError(
      'InvalidParameterValue',
      'Source queue must be configured as a Dead Letter Queue.',
    );
  };

  return {
    StartMessageMoveTask(input) {
      const { SourceArn, DestinationArn } = Start.parse(input);
      const source = expectSource(SourceArn);
      if (DestinationArn !== undefined && !queues.find(queueNameOf(DestinationArn))) {
        throw new ServiceError(
          'ResourceNotFoundException',
          "The resource that you specified for the DestinationArn parameter doesn't exist.",
        );
      }
      const present = messages.inQueue(source.name);
      const moved = present.filter((message) => {
        const { DeadLetterQueueSourceArn, ...system } = System.parse(JSON.parse(message.system));
        const to = queues.find(queueNameOf(DestinationArn ?? DeadLetterQueueSourceArn ?? ''));
        if (to === undefined) return false;
        messages.together(() => {
          messages.remove(message.seq);
          messages.add(to.name, clock.now(), {
            ...message,
            id: newId(),
            system: JSON.stringify(system),
            sentAt: clock.now(),
            receives: 0,
            firstReceivedAt: null,
          });
        });
        wake(to.name);
        return true;
      });
      const TaskHandle = Buffer.from(JSON.stringify({ taskId: newId(), sourceArn: SourceArn })).toString(
        'base64',
      );
      const task = {
        Status: 'COMPLETED',
        SourceArn: arn(source.name),
        ...(DestinationArn !== undefined && { DestinationArn }),
        ApproximateNumberOfMessagesMoved: moved.length,
        ApproximateNumberOfMessagesToMove: present.length,
        StartedTimestamp: clock.now(),
      };
      keep.run(source.name, JSON.stringify(task));
      return { TaskHandle };
    },
    ListMessageMoveTasks(input) {
      const { SourceArn, MaxResults } = z
        .looseObject({ SourceArn: z.string(), MaxResults: z.int().min(1).max(10).default(1) })
        .parse(input);
      const { name } = expectSource(SourceArn);
      return { Results: newest.all(name, MaxResults).map(({ task }) => JSON.parse(String(task))) };
    },
  };
};
