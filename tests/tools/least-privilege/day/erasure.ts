import * as z from 'zod';
import { knownCustomer } from '../../../../cli/local/samples.ts';
import { Receipt } from '../../../../core/privacy/receipt.ts';
import { bucket as bucketOf } from '../../../../functions/aws/clients/bucket.ts';

import { assertThat, type Call, type Day, HOUR_MS } from './hub.ts';

/** Stores data of a customer in every place that an erasure searches, then exports and erases the customer. */
export const exportAndErase = async (
  { cloud, clock, runtime, runtimeOf, crms }: Day,
  call: Call,
): Promise<void> => {
  const phone = `phone:${knownCustomer.phone}`;
  const bucket = bucketOf({
    ...runtime,
    env: { ...runtime.env, BUCKET: runtimeOf(/Record/u).env['BUCKET'] },
  });
  const deliveries = runtimeOf(/Record/u)
    .env['QUEUE_URL_DELIVERIES']?.split('/')
    .at(-1);
  const queue = [...cloud.created.values()].find(
    ({ attributes }) => attributes?.['QueueName'] === deliveries,
  );
  const enqueue = async (message: object): Promise<void> => {
    cloud.send(queue?.attributes?.['Arn'] ?? '', JSON.stringify(message));
    await clock.runUntil(clock.now() + HOUR_MS);
  };
  const keys = ['attachments/hers/0', 'texts/hers'];
  const interaction = {
    ...{ key: 'hers', provider: 'standard', kind: 'message', channel: 'sms', direction: 'inbound' },
    ...{ identifiers: [phone], occurredAt: new Date(clock.now()).toISOString(), text: 'Forget me' },
    attachments: keys.map((key) => ({ key })),
  };
  const message = { type: 'interaction', receivedAt: interaction.occurredAt, interaction };
  for (const key of keys) await bucket.put(key, 'hers');
  await enqueue(message);
  await enqueue({ unreadable: true, of: knownCustomer.phone });
  const Known = z.looseObject({ id: z.string() });
  const { id: profileId } = Known.parse(
    await call('GET', `/customers?identifier=${encodeURIComponent(phone)}`),
  );
  const job = Known.parse(await call('POST', '/jobs', { kind: 'export', parameters: { profileId } }));
  await clock.runUntil(clock.now() + HOUR_MS);
  const exported = z.looseObject({ state: z.string() }).parse(await call('GET', `/jobs/${job.id}`));
  assertThat(exported.state === 'succeeded', 'the export did not succeed');
  const rawBodies = ['deliveries/hers', 'mail/hers'];
  for (const key of rawBodies) await bucket.put(key, `From: ${knownCustomer.phone}`);
  const asked = Known.parse(await call('POST', '/erasures', { customer: phone }));
  await clock.runUntil(clock.now() + 2 * HOUR_MS);
  const Done = z.looseObject({ receipt: z.object({ receipt: Receipt }) });
  const { receipt } = Done.parse(await call('GET', `/erasures/${asked.id}`)).receipt;
  const counts = Object.fromEntries(receipt.systems.map(({ system, count }) => [system, count]));
  for (const system of ['table', 'files', 'failures', 'deliveries/', 'jobs/', 'push', ...crms.names])
    assertThat((counts[system] ?? 0) > 0, `the erasure found nothing in ${system}`);
  await call('GET', '/erasures');
  await call('GET', '/erasures/keys');
  // A late redelivery comes with its files, which are deleted again.
  for (const key of keys) await bucket.put(key, 'hers');
  await enqueue(message);
  for (const key of keys) assertThat((await bucket.get(key)) === undefined, `${key} is stored again`);
};
