import { Construct } from 'constructs';
import type { FrontDoor } from './front-door.ts';
import { type Ground, HubFunction } from './hub-function.ts';
import { generatedSecret, secretArn } from './secrets.ts';
import type { WorkQueue } from './work-queue.ts';

/** Routes of the API function, as API Gateway names them. */
const routes = [
  'GET /health',
  'GET /customers',
  'GET /customers/{id}',
  'GET /customers/{id}/timeline',
  'GET /reviews',
  'POST /commands',
  'GET /unsubscribe/{token}',
  'POST /unsubscribe/{token}',
] as const;

/** What the console, the command line and a business's own programs ask. */
export class Api extends Construct {
  constructor(
    scope: Construct,
    id: string,
    ground: Ground,
    { front, deliveries }: { readonly front: FrontDoor; readonly deliveries: WorkQueue },
  ) {
    super(scope, id);
    const { hub, storage } = ground;
    const api = new HubFunction(this, 'Api', ground, {
      bundle: 'api',
      environment: { QUEUE_URL_DELIVERIES: deliveries.queue.queueUrl },
      timeoutSeconds: 15,
    });
    api.allow(['dynamodb:BatchGetItem', 'dynamodb:Query'], storage.table.tableArn);
    api.allow(['sqs:SendMessage'], deliveries.queue.queueArn);
    api.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'api*'));
    api.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'signing*'));
    api.useKey();
    front.route(routes, api);
    generatedSecret(this, hub, 'api', 'Keys that may use the API of the hub');
  }
}
