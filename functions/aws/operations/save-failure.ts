import type { SQSRecord } from 'aws-lambda';
import type { HubError } from '../../../core/errors.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { SealedStage } from '../../contracts/stages/stage.ts';
import type { Table } from '../clients/dynamo.ts';
import { saveFailure } from './failure-rows.ts';

/** The message attribute of a replay: the id of its failure. */
export const REPLAY_OF = 'failure';

/**
 * Stores a queue message that no retry can help as a failure, so that the queue may drop it. `tries`: how often the work was
 * tried, where that is more often than this message was delivered. Rejects as `saveFailure` does.
 */
export const failureSaver = (
  runtime: Runtime,
  table: Table,
  stage: SealedStage,
): ((message: SQSRecord, error: HubError, tries?: number) => Promise<void>) => {
  const save = saveFailure(runtime, table);
  return ({ messageId, body, attributes, messageAttributes }, { code, message: reason }, tries) =>
    save(stage, {
      ...{ code, reason, origin: 'refused', payload: body, occurrence: messageId },
      tries: tries ?? Number(attributes.ApproximateReceiveCount),
      id: messageAttributes[REPLAY_OF]?.stringValue,
    });
};
