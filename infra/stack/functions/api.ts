import { Construct } from 'constructs';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { generatedSecret, secretArn } from '../resources/secrets.ts';
import type { WorkQueue } from '../resources/work-queue.ts';
import { allowReplays, queueUrls, type StageQueues } from './failures.ts';
import type { FrontDoor } from './front-door.ts';

/** Routes of the API function, as API Gateway names them. */
const routes = [
  'GET /health',
  'GET /customers',
  'GET /customers/{id}',
  'GET /customers/{id}/timeline',
  'GET /customers/{id}/ledger',
  'GET /customers/{id}/consent',
  'GET /customers/{id}/interactions/{interaction}/attachments/{n}',
  'POST /events',
  'GET /figures',
  'GET /reviews',
  'POST /commands',
  'GET /commands/{id}',
  'GET /failures',
  'GET /failures/{id}',
  'PUT /failures/{id}/payload',
  'POST /failures/{id}/replay',
  'DELETE /failures/{id}',
  'POST /failures/replay',
  'POST /erasures',
  'GET /erasures',
  'GET /erasures/keys',
  'GET /erasures/{id}',
  'POST /erasures/{id}/resume',
  'POST /jobs',
  'GET /jobs',
  'GET /jobs/{id}',
  'GET /jobs/{id}/refused/{part}',
  'POST /jobs/{id}/start',
  'POST /jobs/{id}/cancel',
  'GET /unsubscribe/{token}',
  'POST /unsubscribe/{token}',
  'GET /preferences/{token}',
  'POST /preferences/{token}',
] as const;

interface ApiProps {
  readonly front: FrontDoor;
  readonly deliveries: WorkQueue;
  readonly jobs: WorkQueue;
  /** Where failures are put back. */
  readonly queues: StageQueues;
}

/** What the console, the command line and a business's own programs ask. */
export class Api extends Construct {
  constructor(
    scope: Construct,
    id: string,
    ground: SharedResources,
    { front, deliveries, jobs, queues }: ApiProps,
  ) {
    super(scope, id);
    const { hub, storage } = ground;
    const api = new HubFunction(this, 'Api', ground, {
      bundle: 'api',
      environment: {
        QUEUE_URL_DELIVERIES: deliveries.queue.queueUrl,
        QUEUE_URL_JOBS: jobs.queue.queueUrl,
        QUEUE_URLS: queueUrls(this, queues),
        BUCKET: storage.bucket.bucketName,
      },
      timeoutSeconds: 15,
    });
    api.allow(['dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:PutItem'], storage.table.tableArn);
    // The deliveries queue is among them.
    allowReplays(api, ground, queues);
    api.allow(['s3:PutObject'], storage.bucket.arnForObjects('failures/*'));
    // The addresses that it signs for the files of jobs can do what it may do.
    api.allow(['s3:GetObject', 's3:PutObject'], storage.bucket.arnForObjects('jobs/*'));
    for (const kept of ['attachments/*', 'texts/*'])
      api.allow(['s3:GetObject'], storage.bucket.arnForObjects(kept));
    api.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'api-??????'));
    for (const secret of ['signing-??????', 'hashed-keys-??????'])
      api.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, secret));
    api.useKey({ writesFiles: true });
    front.route(routes, api);
    generatedSecret(this, hub, 'api', 'Keys that may use the API of the hub');
  }
}
