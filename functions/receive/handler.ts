import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { connectorOf } from '../../connectors/registry.ts';
import type { HttpAnswer, WebhookRequest } from '../../core/webhooks/channel.ts';
import { secrets } from '../aws/clients/connector-secrets.ts';
import { log } from '../contracts/log.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { httpStack } from '../middleware/http.ts';
import { lambda } from '../middleware/lambda.ts';
import { channelActivity } from './channel-activity.ts';
import { deliveries } from './deliveries.ts';
import { keySetCache } from './key-set-cache.ts';
import { nonceStore } from './nonce-store.ts';
import { receive } from './receive.ts';

export const create = (runtime: Runtime) => {
  const publicUrl = required(runtime, 'PUBLIC_URL').replace(/\/$/u, '');
  const isSwitchedOn = switchedOn(required(runtime, 'CHANNELS'));
  const use = receive({
    connector: (provider, account) => (isSwitchedOn(provider, account) ? connectorOf(provider) : undefined),
    secrets: secrets(runtime),
    document: keySetCache(runtime),
    useNonce: nonceStore(runtime),
    enqueue: deliveries(runtime),
    activity: channelActivity(runtime),
    now: runtime.now,
    log: (code, fields) => log('warn', code, fields),
  });
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .use(httpStack('receive'))
    .handler(async (event) => {
      const { provider = '', account: rest = '' } = event.pathParameters ?? {};
      const account = rest.replace(/\/$/u, '') || undefined;
      const request = requestOf(event, publicUrl, provider, account);
      const source = event.requestContext.http.sourceIp;
      return answerOf(await use({ provider, account, request, source }));
    });
};

/** Whether hub.yaml has a channel and, where a route names one, its account; `channels`: JSON of accounts by channel. */
const switchedOn = (channels: string): ((provider: string, account: string | undefined) => boolean) => {
  const accounts = new Map(Object.entries<unknown>(JSON.parse(channels)));
  return (provider, account) => {
    const known = accounts.get(provider);
    return Array.isArray(known) && (account === undefined || known.includes(account));
  };
};

/**
 * A provider signs the configured public URL, the route (with a slash at its end if it was entered so) and the raw query. The
 * Host header is not trusted.
 */
const requestOf = (
  event: APIGatewayProxyEventV2,
  publicUrl: string,
  provider: string,
  account: string | undefined,
): WebhookRequest => ({
  method: event.requestContext.http.method,
  url: `${publicUrl}/webhooks/${provider}${account === undefined ? '' : `/${account}`}${event.rawPath.endsWith('/') ? '/' : ''}${event.rawQueryString === '' ? '' : `?${event.rawQueryString}`}`,
  headers: Object.fromEntries(
    Object.entries(event.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), value]],
    ),
  ),
  body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
});

const answerOf = ({ status, headers, body }: HttpAnswer): APIGatewayProxyStructuredResultV2 => ({
  statusCode: status,
  ...(headers && { headers: { ...headers } }),
  body: body ?? '',
});

const required = (runtime: Runtime, name: string): string => {
  const value = runtime.env[name];
  if (value === undefined || value === '')
    throw new Error(
      `The environment variable ${name} is not set. The stack sets it for the function receive.`,
    );
  return value;
};

export const handler = lambda(create);
