import { DatabaseSync } from 'node:sqlite';
import { CreateScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { bucket } from '../../../functions/aws/clients/bucket.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { table } from '../../../functions/aws/clients/dynamo.ts';
import { Records } from '../../../infra/sandbox/protocol/records.ts';
import { type Release, unpacked } from './release.ts';
import { openReleaseHub, type ReleaseHub } from './release-hub.ts';

/** Opens the hub of today with what a release has left behind, and deploys over it. */
export const openUpgraded = async (release: Release): Promise<ReleaseHub> => {
  const crms = new DatabaseSync(':memory:');
  new Records(crms, 'salesforce');
  const insert = crms.prepare('INSERT INTO sandbox_records (crm, object, id, fields) VALUES (?, ?, ?, ?)');
  for (const { crm, object, id, fields } of release.records) insert.run(crm, object, id, fields);
  const hub = await openReleaseHub({ now: release.at, crms });
  const { runtime, cloud } = hub;
  const rows = table(runtime);
  for (const row of release.rows) await rows.put(row);
  const [BUCKET = ''] = [...cloud.functions.values()].flatMap(
    ({ environment }) => environment['BUCKET'] ?? [],
  );
  const files = bucket({ ...runtime, env: { ...runtime.env, BUCKET } });
  for (const { key, body } of release.objects) await files.put(key, unpacked(body));
  const scheduler = new SchedulerClient(clientConfig(runtime));
  for (const { Name, GroupName, ScheduleExpression, Target, ...rest } of release.schedules)
    await scheduler.send(
      new CreateScheduleCommand({
        ...{ FlexibleTimeWindow: { Mode: 'OFF' }, ActionAfterCompletion: 'DELETE', ...rest },
        ...{ Name, GroupName, ScheduleExpression, Target: { RoleArn: '', ...Target } },
      }),
    );
  await cloud.runCustomResources('Update');
  for (const { queue, body } of release.messages) {
    const arn = cloud.created.get(queue)?.attributes?.['Arn'];
    if (arn === undefined)
      throw new Error(`This release has no queue ${queue}, and the one before sent to it.`);
    cloud.send(arn, body);
  }
  return hub;
};
