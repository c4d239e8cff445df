import { type FrontRequest, httpApi } from '../api-gateway/http-api.ts';
import type { DeployContext } from '../cloudformation/resource-type.ts';
import type { Permissions } from '../iam/index.ts';
import type { Invocations } from '../lambda/invocations.ts';
import type { AwsResponse, ServiceContext } from '../protocol/service.ts';

/**
 * The HTTP API of a deployed template.
 *
 * @throws Error if a route's function does not allow API Gateway to invoke it.
 */
export const frontDoor = (
  { routes, throttles }: Pick<DeployContext, 'routes' | 'throttles'>,
  { clock, newId, region, account }: ServiceContext,
  { lambda, permissions }: { readonly lambda: Invocations; readonly permissions: Permissions },
): ((request: FrontRequest) => Promise<AwsResponse>) =>
  httpApi(
    routes.map(({ api, key, functionArn, timeoutMs }) => {
      const path = key.replace(/^ANY /u, '* ').replace(' ', '/');
      const source = `arn:aws:execute-api:${region}:${account}:${api}/$default/${path}`;
      const invocation = { action: 'lambda:InvokeFunction', resource: functionArn };
      if (permissions.refusal({ service: 'apigateway.amazonaws.com', source }, invocation))
        throw new Error(
          `${functionArn} does not allow API Gateway to invoke it for the route ${key}. Add a Lambda permission.`,
        );
      return { key, timeoutMs, invoke: (event) => lambda.call(functionArn, event) };
    }),
    { clock, newId, account, throttles },
  );

/**
 * Posts a notification: to the deployed HTTP API directly, to other URLs over the network.
 *
 * @throws Error if the response status is 300 or higher.
 */
export const postNotification = async (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  own: { readonly publicUrl: string; readonly front: (request: FrontRequest) => Promise<AwsResponse> },
): Promise<void> => {
  const { status } = url.startsWith(`${own.publicUrl}/`)
    ? await own.front({
        method: 'POST',
        target: url.slice(own.publicUrl.length),
        headers: { host: new URL(own.publicUrl).host, ...headers },
        body: Buffer.from(body),
      })
    : await fetch(url, { method: 'POST', headers, body });
  if (status >= 300) throw new Error(`${url} responded with status ${status}.`);
};
