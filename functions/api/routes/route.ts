import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { HubError } from '../../../core/errors.ts';
import { problem } from '../../middleware/http.ts';

export type Route<Ports> = (
  event: APIGatewayProxyEventV2,
  ports: Ports,
) => Promise<APIGatewayProxyStructuredResultV2>;
/** The routes about one matter, by API Gateway's route keys, and what they need. */
export type Routes<Ports> = Readonly<Record<string, Route<Ports>>>;

export const json = (statusCode: number, body: unknown): APIGatewayProxyStructuredResultV2 => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

export const bodyOf = (event: APIGatewayProxyEventV2): string =>
  Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8').toString();

export const parsed = (event: APIGatewayProxyEventV2): unknown => {
  try {
    return JSON.parse(bodyOf(event));
  } catch (error) {
    throw new HubError('invalid-json', 'The body is not JSON.', { retry: 'never', cause: error });
  }
};

export const unknownCustomer = (): APIGatewayProxyStructuredResultV2 =>
  problem(404, 'unknown-customer', 'There is no customer with this id.');
