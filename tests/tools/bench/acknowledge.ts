import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { hmac } from '../../../core/webhooks/signature.ts';
import { create } from '../../../functions/receive/handler.ts';
import { inProcess } from '../../../infra/local/runtime/client.ts';
import type { Measured } from './measured.ts';

const publicUrl = 'https://acme.example';
/** In base64 it does not fit into a message. */
const LARGE_BYTES = 900_000;

/** AWS requests that `receive` makes before it answers, once it knows the secret. */
export const benchAcknowledge = async (): Promise<Measured[]> => {
  let requests = 0;
  const handler = create({
    env: {
      ...{ AWS_REGION: 'eu-south-1', AWS_ACCESS_KEY_ID: 'BENCH', AWS_SECRET_ACCESS_KEY: 'bench' },
      ...{ PUBLIC_URL: publicUrl, HUB: 'acme', TABLE: 'table', BUCKET: 'bucket' },
      CHANNELS: JSON.stringify(Object.fromEntries(['twilio', 'sendgrid', 'meta'].map((id) => [id, []]))),
      QUEUE_URL_DELIVERIES: 'http://127.0.0.1/123456789012/deliveries',
    },
    now: () => Date.parse('2026-03-01T09:00:00Z'),
    newId: () => 'id',
    random: () => 0.5,
    aws: inProcess(async () => {
      requests++;
      const body = JSON.stringify({ SecretString: JSON.stringify({ authToken: 'token' }) });
      return { status: 200, headers: { 'content-type': 'application/json' }, body };
    }),
  });
  const measure = async (body: string): Promise<number> => {
    const fields = { Body: body, From: '+14155550100', MessageSid: 'SM1', To: '+15005550006' };
    const signed = Object.entries(fields).flat().join('');
    const event = {
      ...{ version: '2.0', routeKey: 'ANY /webhooks/{provider}', rawPath: '/webhooks/twilio' },
      ...{ rawQueryString: '', pathParameters: { provider: 'twilio' }, isBase64Encoded: false },
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': hmac('sha1', 'token', 'base64', `${publicUrl}/webhooks/twilio`, signed),
      },
      requestContext: { http: { method: 'POST' } },
      body: new URLSearchParams(fields).toString(),
    };
    requests = 0;
    const answer = await handler(event as unknown as APIGatewayProxyEventV2, {} as Context);
    if (answer.statusCode !== 200) throw new Error(`receive answered ${answer.statusCode}.`);
    return requests;
  };
  await measure('warm');
  return [
    {
      name: 'AWS requests before a webhook is acknowledged',
      measured: await measure('Hello'),
      unit: '',
      goal: { atMost: 1 },
    },
    {
      name: '… when its body goes to S3',
      measured: await measure('x'.repeat(LARGE_BYTES)),
      unit: '',
      goal: { atMost: 2 },
    },
  ];
};
