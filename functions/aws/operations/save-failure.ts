import type { SQSRecord } from 'aws-lambda';
import type { HubError } from '../../../core/errors.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { SealedStage } from '../../contracts/stages/stage.ts';
import type { Table } from '../clients/dynamo.ts';
import { saveFailure } from './failure-rows.ts';

/** A replayed message says whose replay it is. */
export const REPLAY_OF = 'failure';

/**
 * For a function that knows why a message failed for good: keeps it, so that the queue may forget it. `tries`: how often
 * the work was tried, where that is more than the queue has delivered this message.
 */
export const failureSaver = (
  runtime: Runtime,
  table: Table,
  stage: SealedStage,
): ((message: SQSRecord, error: HubError, tries?: number) => Promise<void>) => {
  const keep = saveFailure(runtime, table);
  return ({ messageId, body, attributes, messageAttributes }, { code, message: reason }, tries) =>
    keep(stage, {
      ...{ code, reason, origin: 'refused', payload: body, occurrence: messageId },
      tries: tries ?? Number(attributes.ApproximateReceiveCount),
      id: messageAttributes[REPLAY_OF]?.stringValue,
    });
};
