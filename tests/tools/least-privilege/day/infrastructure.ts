import { DeleteQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { CustomerSnapshot } from '../../../../core/interaction/customer-snapshot.ts';
import type { Interaction } from '../../../../core/interaction/interaction.ts';
import { bucket as bucketOf } from '../../../../functions/aws/clients/bucket.ts';
import { bus } from '../../../../functions/aws/clients/bus.ts';
import { clientConfig } from '../../../../functions/aws/clients/config.ts';
import { readSecret } from '../../../../functions/aws/clients/secret.ts';
import { signedCalls } from '../../../../functions/aws/clients/signed.ts';
import { stageQueues } from '../../../../functions/aws/operations/replays.ts';
import { crmChanged, syncFailed } from '../../../../functions/contracts/events/build.ts';
import type { BusEvent } from '../../../../functions/contracts/events/catalogue.ts';
import type { Runtime } from '../../../../functions/contracts/runtime.ts';
import { nonceStore } from '../../../../functions/receive/nonce-store.ts';
import { REGION } from '../../../../infra/local/runtime/account.ts';

import { assertThat, type Day, HOUR_MS } from './hub.ts';

/** Calls the adapters for channels that are not switched on here and for refusals of vendors, with the functions' own keys. */
export const useIdleAdapters = async ({ runtimeOf, hub, crms }: Day): Promise<void> => {
  const syncOf = (crm: string): Runtime => runtimeOf(new RegExp(`${crm}Sync`, 'iu'));
  await nonceStore(runtimeOf(/Receive/u))('other', { token: 'token', seconds: 60 }, Buffer.from('body'));
  const record = runtimeOf(/Record/u);
  await bucketOf(record).put('attachments/1/0', Buffer.from('file'), 'text/plain');
  const channel = await readSecret(record)(`${hub}/channels/twilio`);
  assertThat(channel !== undefined, 'record cannot read the secret that fetches files');
  const later = { type: 'file', provider: 'other', url: 'https://example.com/1', key: 'attachments/1/0' };
  const sqs = new SQSClient({ ...clientConfig(record), useQueueUrlAsEndpoint: false });
  const QueueUrl = record.env['QUEUE_URL_DELIVERIES'];
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(later) }));
  const api = runtimeOf(/Api/u);
  const file = await signedCalls(api).rest('s3', {
    method: 'HEAD',
    path: `/${api.env['BUCKET']}/attachments/1/0`,
  });
  assertThat(file.ok, 'the API cannot read a file');
  await readSecret(runtimeOf(/Notify/u))(`${hub}/senders/other`).catch((error: unknown) => {
    if (!(error instanceof Error) || error.name !== 'ResourceNotFoundException') throw error;
  });
  await bucketOf(runtimeOf(/Notify/u)).put('failures/notify/1', '{}');
  for (const crm of crms.names) await bucketOf(syncOf(crm)).put(`failures/sync-${crm}/1`, '{}');
  // When a CRM is down or its API budget is used up, sync delays the message and publishes an event.
  for (const sync of crms.names.map(syncOf)) {
    const own = new SQSClient({ ...clientConfig(sync), useQueueUrlAsEndpoint: false });
    await own.send(
      new SendMessageCommand({ QueueUrl: sync.env['QUEUE_URL_SYNC'], MessageBody: '{"profileId":"nobody"}' }),
    );
    await bus(sync)([syncFailed('nobody', 'other', 'refused', new Date(sync.now()).toISOString())]);
  }
  for (const runtime of [api, runtimeOf(/Jobs/u)]) {
    const enqueue = stageQueues(runtime);
    for (const stage of Object.keys(z.looseObject({}).parse(JSON.parse(runtime.env['QUEUE_URLS'] ?? '{}'))))
      await enqueue(stage, '{"unreadable":true}', 'other');
  }
};

const authorizationFor = (service: string): string =>
  `AWS4-HMAC-SHA256 Credential=ADMIN/20260302/${REGION}/${service}/aws4_request`;

/** Sends an alarm of CloudWatch to its topic, which is encrypted with the hub's key. */
export const raiseAlarm = async ({ cloud }: Day): Promise<void> => {
  for (const { ref } of cloud.created.values())
    if (/^arn:aws:sns:[^:]*:[^:]*:[^:]*Alarms[^:]*$/u.test(ref))
      await cloud.deliver({
        arn: ref,
        payload: '{"NewStateValue":"ALARM"}',
        source: `arn:aws:cloudwatch:${REGION}:123456789012:alarm:any`,
        principal: 'cloudwatch.amazonaws.com',
      });
};

/** Expects that every topic, queue and bucket refuses a request without TLS. */
export const tryWithoutTls = async ({ cloud }: Day): Promise<void> => {
  const plain = { query: '', secure: false };
  for (const [id, { ref, attributes }] of cloud.created) {
    if (/^arn:aws:sns:(?:[^:]*:){2}[^:]*$/u.test(ref)) {
      const form = new URLSearchParams({ Action: 'Publish', TopicArn: ref, Message: 'x' });
      const headers = { authorization: authorizationFor('sns') };
      const { status } = await cloud.aws({
        ...plain,
        method: 'POST',
        path: '/',
        headers,
        body: Buffer.from(String(form)),
      });
      assertThat(status === 403, `${id} accepts messages without TLS`);
    }
    const url = attributes?.['QueueUrl'];
    const bucket = attributes?.['Arn'] === `arn:aws:s3:::${ref}`;
    if (url === undefined && !bucket) continue;
    const { status } = await cloud.aws(
      bucket
        ? {
            ...plain,
            method: 'GET',
            path: `/${ref}/texts/1`,
            headers: { authorization: authorizationFor('s3') },
            body: new Uint8Array(),
          }
        : {
            ...plain,
            method: 'POST',
            path: '/',
            headers: { authorization: authorizationFor('sqs'), 'x-amz-target': 'AmazonSQS.ReceiveMessage' },
            body: Buffer.from(JSON.stringify({ QueueUrl: url })),
          },
    );
    assertThat(status === 400 || status === 403, `${id} answers without TLS`);
    if (!bucket) continue;
    const listing = { ...plain, method: 'GET', path: `/${ref}`, body: new Uint8Array() };
    const { status: listed } = await cloud.aws({
      ...listing,
      headers: { authorization: authorizationFor('s3') },
    });
    assertThat(listed === 403, `${id} is listed without TLS`);
  }
};

/** An event for each rule of the stack. */
const eventsOfEveryRule = (at: string, crms: readonly string[]): BusEvent[] => {
  const customer: CustomerSnapshot = {
    ...{ id: 'nobody', profileId: 'nobody', identifiers: [], tags: [], traits: {}, consent: {} },
    ...{ preferences: {}, firstSeenAt: at, lastSeenAt: at, isNew: false },
  };
  const interaction: Interaction = {
    ...{ id: 'unheard', kind: 'order', channel: 'web', provider: 'unheard', direction: 'inbound' },
    properties: { status: 'paid' },
    ...{ occurredAt: at, identifiers: [] },
  };
  const merge = { merge: 'unheard', survivor: 'nobody', others: [], by: 'unheard' };
  const notification = { id: 'unheard', trigger: 'unheard', version: 1, interaction: 'unheard' };
  return [
    { type: 'interaction.recorded', detail: { ...interaction, customer }, at },
    { type: 'customer.merged', detail: { customer, ...merge }, at },
    { type: 'customer.imported', detail: { customer }, at },
    ...crms.flatMap((crm): BusEvent[] => [
      { type: 'crm.decided', detail: { crm, decided: { profileId: 'nobody' } }, at },
      crmChanged(crm, { object: 'nothing', id: '1', act: 'changed', fields: {}, merged: [] }, at),
    ]),
    { type: 'notification.failed', detail: { ...notification, customer: { profileId: 'nobody' } }, at },
  ];
};

/** Deletes the work queues, so that events and schedules go to the dead-letter queues. */
export const deleteQueues = async ({ cloud, clock, runtime, runtimeOf, crms }: Day): Promise<void> => {
  const sqs = new SQSClient({ ...clientConfig(runtime), useQueueUrlAsEndpoint: false });
  const urls = [...cloud.created.values()].flatMap(({ attributes }) => attributes?.['QueueUrl'] ?? []);
  for (const QueueUrl of urls.filter((url) => !/Dead|Deliveries|Notifications/u.test(url)))
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  const name = runtimeOf(/Record/u).env['BUS'] ?? '';
  const at = new Date(clock.now()).toISOString();
  const published = await bus({ ...runtime, env: { ...runtime.env, BUS: name } })(
    eventsOfEveryRule(at, crms.names),
  );
  assertThat(!published.includes(false), 'the bus refused an event');
  await clock.runUntil(clock.now() + 72 * HOUR_MS);
};
