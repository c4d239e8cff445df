import type { Cloud } from '../../local/runtime/cloud.ts';

const IDLE_MS = 400;
const LONGEST_WAIT_MS = 45_000;
const POLL_MS = 50;

/** Tables of the local runtime that hold events until a function or a target has accepted them. */
const pendingTables = ['events_deliveries', 'lambda_invocations'];

/**
 * Resolves once every queue is empty and no event is pending for 0.4 s, and after 45 s in any case. Queues whose logical
 * id matches `except` may hold messages.
 */
export const waitUntilIdle = async (
  { cloud }: { readonly cloud: Pick<Cloud, 'created' | 'queue' | 'db'> },
  except?: RegExp,
): Promise<void> => {
  const queueArns = [...cloud.created].flatMap(([id, { attributes }]) =>
    attributes?.['QueueUrl'] === undefined || except?.test(id) === true ? [] : [attributes['Arn'] ?? ''],
  );
  const isBusy = (): boolean =>
    queueArns.some((arn) => cloud.queue(arn).visible + cloud.queue(arn).hidden > 0) ||
    pendingTables.some(
      (table) => Number(cloud.db.prepare(`SELECT count(*) AS open FROM ${table}`).get()?.['open']) > 0,
    );
  const deadline = Date.now() + LONGEST_WAIT_MS;
  let idleSince = Date.now();
  while (Date.now() - idleSince < IDLE_MS && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (isBusy()) idleSince = Date.now();
  }
};
