import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { HubConfig } from '../../../core/config/hub-config.ts';
import { jobRoutes } from '../../../functions/api/routes/jobs.ts';
import { bucket as bucketOf } from '../../../functions/aws/clients/bucket.ts';
import { jobs } from '../../../functions/aws/operations/jobs.ts';
import { openTestHub } from '../../support/open-test-hub.ts';

it('a job that needs a file returns an upload address, and waits until it is started', async () => {
  const hub = await openTestHub();
  const bucket = [...hub.cloud.created.values()].find(({ attributes }) =>
    attributes?.['Arn']?.startsWith('arn:aws:s3:::'),
  )?.ref;
  const sent: unknown[] = [];
  const runtime = { ...hub.runtime, env: { ...hub.runtime.env, BUCKET: bucket } };
  const ports = {
    jobs: { ...jobs(runtime, hub.table), enqueue: async (message: unknown) => void sent.push(message) },
    kinds: { import: { kind: 'import', title: '', parameters: z.unknown(), file: 'text/csv' } },
    presign: bucketOf(runtime).presign,
    now: runtime.now,
    newId: () => 'job-1',
    hub: async () => HubConfig.parse({}),
    templateFaults: () => [],
  };
  const ask = async (route: string, body: unknown = {}) => {
    const event = { body: JSON.stringify(body), pathParameters: { id: 'job-1' } };
    const answer = await jobRoutes[route]?.(event as unknown as APIGatewayProxyEventV2, ports);
    return JSON.parse(answer?.body ?? '{}');
  };
  const { state, upload } = await ask('POST /jobs', { kind: 'import' });
  expect([state, sent]).toEqual(['waiting', []]);
  const url = new URL(upload.url);
  expect(upload).toMatchObject({ method: 'PUT', contentType: 'text/csv' });
  const stored = await hub.cloud.aws({
    ...{ method: 'PUT', path: url.pathname, query: url.search.slice(1), headers: { host: url.host } },
    body: Buffer.from('name\nAda'),
  });
  expect(stored.status).toBe(200);
  expect((await ask('POST /jobs/{id}/start')).state).toBe('queued');
  await ask('POST /jobs/{id}/start');
  expect(sent).toEqual([
    { job: 'job-1', slice: 0 },
    { job: 'job-1', slice: 0 },
  ]);
  await hub.stop();
});
