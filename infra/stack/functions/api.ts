import { Construct } from 'constructs';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { secretArn } from '../resources/secrets.ts';
import type { WorkQueue } from '../resources/work-queue.ts';
import { allowReplays, queueUrls, type StageQueues } from './failures.ts';
import type { FrontDoor } from './front-door.ts';
import { allowTriggerRules, publishingEnvironment } from './trigger-rules.ts';

/** The routes of the API, as API Gateway writes them. */
const routes = [
  'GET /customers',
  'GET /customers/{id}',
  'GET /customers/{id}/timeline',
  'GET /customers/{id}/ledger',
  'GET /customers/{id}/consent',
  'GET /customers/{id}/notifications',
  'GET /notifications/{id}',
  'GET /notifications/{id}/evidence',
  'GET /customers/{id}/crm/{crm}',
  'GET /customers/{id}/interactions/{interaction}/attachments/{n}',
  'POST /events',
  'POST /templates/preview',
  'POST /templates/test',
  'GET /figures',
  'GET /reviews',
  'GET /reviews/{id}',
  'GET /merges/preview',
  'POST /commands',
  'GET /commands/{id}',
  'GET /channels',
  'GET /connections',
  'POST /connections/{crm}/probe',
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
  'GET /triggers',
  'POST /triggers/check',
  'POST /triggers/test',
  'GET /triggers/{id}',
  'PUT /triggers/{id}',
  'DELETE /triggers/{id}',
  'GET /triggers/{id}/versions',
  'GET /triggers/{id}/report',
  'POST /triggers/{id}/publish',
  'POST /triggers/{id}/pause',
  'POST /triggers/{id}/resume',
  'POST /triggers/{id}/roll-back',
] as const;

/** What anybody may call: the pages behind links, and whether the hub is there. */
const openRoutes = [
  'GET /health',
  'GET /unsubscribe/{token}',
  'POST /unsubscribe/{token}',
  'GET /preferences/{token}',
  'POST /preferences/{token}',
  'GET /confirm/{token}',
  'POST /confirm/{token}',
  'GET /r/{token}',
  'HEAD /r/{token}',
] as const;

interface ApiProps {
  readonly front: FrontDoor;
  readonly deliveries: WorkQueue;
  readonly decisions: WorkQueue;
  readonly jobs: WorkQueue;
  /** The queues to which failures are replayed. */
  readonly queues: StageQueues;
}

/** The API for the console, the command line and other programs. */
export class Api extends Construct {
  constructor(
    scope: Construct,
    id: string,
    shared: SharedResources,
    { front, deliveries, decisions, jobs, queues }: ApiProps,
  ) {
    super(scope, id);
    const { hub, storage } = shared;
    const api = new HubFunction(this, 'Api', shared, {
      bundle: 'api',
      environment: {
        QUEUE_URL_DELIVERIES: deliveries.queue.queueUrl,
        QUEUE_URL_JOBS: jobs.queue.queueUrl,
        QUEUE_URLS: queueUrls(this, queues),
        BUCKET: storage.bucket.bucketName,
        ...publishingEnvironment(shared, decisions),
      },
      timeoutSeconds: 15,
    });
    api.allow(['dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:PutItem'], storage.table.tableArn);
    // Of rows it deletes drafts of triggers alone.
    api.allow(['dynamodb:DeleteItem'], storage.table.tableArn, {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['trigger#*'] },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    });
    allowTriggerRules(api, shared);
    // This includes the deliveries queue.
    allowReplays(api, shared, queues);
    for (const crm of Object.keys(hub.crms)) {
      const queue = queues[`sync-${crm}`]?.queue;
      if (queue) api.allow(['sqs:GetQueueAttributes'], queue.queueArn);
    }
    api.allow(['s3:PutObject'], storage.bucket.arnForObjects('failures/*'));
    // A presigned address of a job's file has the permissions of the function that signed it.
    api.allow(['s3:GetObject', 's3:PutObject'], storage.bucket.arnForObjects('jobs/*'));
    for (const prefix of ['attachments/*', 'texts/*'])
      api.allow(['s3:GetObject'], storage.bucket.arnForObjects(prefix));
    api.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'api-??????'));
    for (const secret of ['signing-??????', 'hashed-keys-??????'])
      api.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, secret));
    api.allowKey({ files: true });
    front.addRoutes(routes, api, { rate: 200, burst: 400 });
    front.addRoutes(openRoutes, api, { rate: 50, burst: 200 });
    shared.secrets.addGenerated('api', 'API keys of the hub');
  }
}
