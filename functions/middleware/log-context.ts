import type { MiddlewareObj } from '@middy/core';
import { enterLogContext } from '../contracts/log.ts';

/** A line that names more messages would be longer than what it says. */
const MOST_NAMED = 10;

/** Adds function, request id, cold start and the ids of queue messages to every log line of an invocation. */
export const logContext = (name: string): MiddlewareObj => {
  let coldStart = true;
  return {
    before({ event, context }) {
      enterLogContext({
        function: name,
        request: context.awsRequestId,
        coldStart,
        ...messagesOf(event),
      });
      coldStart = false;
    },
  };
};

const messagesOf = (event: unknown): { readonly messages?: readonly string[] } => {
  if (typeof event !== 'object' || event === null || !('Records' in event) || !Array.isArray(event.Records))
    return {};
  return { messages: event.Records.slice(0, MOST_NAMED).map(({ messageId }) => String(messageId)) };
};
