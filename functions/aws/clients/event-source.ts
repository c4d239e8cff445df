import * as z from 'zod';
import type { Runtime } from '../../contracts/runtime.ts';
import { isAwsRefusal } from './refusal.ts';
import { signedCalls } from './signed.ts';

/** The event source mapping by which Lambda invokes a function with the messages of a queue. */
export interface EventSource {
  /**
   * Switches it on or off, if it is not so already. While it is off messages keep their place in the queue. Resolves to
   * false while Lambda is still busy with an earlier change. Rejects with `AwsRefusal`.
   */
  setEnabled(isEnabled: boolean): Promise<boolean>;
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html */
const Mappings = z.looseObject({
  EventSourceMappings: z.array(z.looseObject({ UUID: z.string(), State: z.string() })),
});
const PATH = '/2015-03-31/event-source-mappings/';
const headers = { 'content-type': 'application/json' };

export const eventSource = (
  runtime: Runtime,
  { functionName, queueArn }: { readonly functionName: string; readonly queueArn: string },
): EventSource => {
  const aws = signedCalls(runtime);
  return {
    async setEnabled(isEnabled) {
      const query = { EventSourceArn: queueArn, FunctionName: functionName };
      const answer = await aws.rest('lambda', { method: 'GET', path: PATH, query });
      const [mapping] = Mappings.parse(await answer.json()).EventSourceMappings;
      if (mapping === undefined) throw new Error(`${functionName} has no event source ${queueArn}.`);
      if (mapping.State === (isEnabled ? 'Enabled' : 'Disabled')) return true;
      if (mapping.State === (isEnabled ? 'Enabling' : 'Disabling')) return true;
      const body = JSON.stringify({ Enabled: isEnabled });
      try {
        await aws.rest('lambda', { method: 'PUT', path: `${PATH}${mapping.UUID}`, headers, body });
        return true;
      } catch (error) {
        if (isAwsRefusal(error, 'ResourceInUseException') || isAwsRefusal(error, 'ResourceConflictException'))
          return false;
        throw error;
      }
    },
  };
};
