import { assertThat, type Call, type Day, HOUR_MS, Items } from './hub.ts';

/** Puts an unreadable message on each queue and each dead-letter queue. */
export const sendUnreadableMessages = async ({ cloud, clock }: Day): Promise<void> => {
  for (const { attributes } of cloud.created.values())
    if (attributes?.['QueueUrl'] !== undefined) cloud.send(attributes['Arn'] ?? '', '{"unreadable":true}');
  await clock.runUntil(clock.now() + HOUR_MS);
};

/** Lists failures, edits one, and replays one and all. */
export const replayFailures = async ({ clock }: Day, call: Call): Promise<void> => {
  const { items } = Items.parse(await call('GET', '/failures'));
  assertThat(items.length > 0, 'nothing failed');
  const about = { type: 'command', id: 'edited', at: new Date(clock.now()).toISOString(), by: 'day' };
  const command = {
    ...about,
    command: 'consent',
    customer: 'phone:+14155550100',
    channel: 'sms',
    status: 'granted',
  };
  const editable = items.find((one) => one['stage'] === 'record');
  await call('GET', `/failures/${editable?.id}`);
  await call('PUT', `/failures/${editable?.id}/payload`, command);
  await call('POST', `/failures/${editable?.id}/replay`);
  await call('POST', '/failures/replay', {});
  await clock.runUntil(clock.now() + HOUR_MS);
  Items.parse(await call('GET', '/jobs'));
};
