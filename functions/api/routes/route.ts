import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import { type ErrorCode, HubError } from '../../../core/errors.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import type { History } from '../../contracts/ports/history.ts';
import { problem } from '../../middleware/http.ts';

export type Answer = APIGatewayProxyStructuredResultV2;
export type Route<Ports> = (event: APIGatewayProxyEventV2, ports: Ports) => Promise<Answer>;
/** The routes about one subject by API Gateway's route keys, and the ports that they need. */
export type Routes<Ports> = Readonly<Record<string, Route<Ports>>>;

type InputRoute<Input, Ports> = (
  input: Input,
  event: APIGatewayProxyEventV2,
  ports: Ports,
) => Promise<Answer>;

/** A route whose query string must fit a schema; otherwise 400 `invalid-query`, which names the key. */
export const withQuery =
  <Schema extends z.ZodType, Ports>(
    schema: Schema,
    route: InputRoute<z.output<Schema>, Ports>,
  ): Route<Ports> =>
  async (event, ports) => {
    const query = schema.safeParse(event.queryStringParameters ?? {});
    return query.success
      ? route(query.data, event, ports)
      : problem(400, 'invalid-query', z.prettifyError(query.error));
  };

/** A route whose body must be JSON that fits a schema; otherwise 400 with `code` and the key. */
export const withBody =
  <Schema extends z.ZodType, Ports>(
    code: ErrorCode,
    schema: Schema,
    route: InputRoute<z.output<Schema>, Ports>,
  ): Route<Ports> =>
  async (event, ports) => {
    const body = schema.safeParse(jsonBody(event));
    return body.success ? route(body.data, event, ports) : problem(400, code, z.prettifyError(body.error));
  };

/** A route about the customer whose id is in the path; otherwise 404 `unknown-customer`. */
export const withCustomer =
  <Ports extends { readonly history: Pick<History, 'customer'> }>(
    route: InputRoute<Customer, Ports>,
  ): Route<Ports> =>
  async (event, ports) => {
    const customer = await ports.history.customer(pathParameter(event, 'id'));
    return customer === undefined
      ? problem(404, 'unknown-customer', 'There is no customer with this id.')
      : route(customer, event, ports);
  };

/** A parameter of the route's path; empty where it is missing, which no id is. */
export const pathParameter = (event: APIGatewayProxyEventV2, name: string): string =>
  event.pathParameters?.[name] ?? '';

export const json = (statusCode: number, body: unknown): Answer => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

export const bodyBytes = ({ body = '', isBase64Encoded }: APIGatewayProxyEventV2): Buffer =>
  Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');

export const bodyText = (event: APIGatewayProxyEventV2): string => bodyBytes(event).toString();

/** Throws `HubError` `invalid-json` (never). */
export const jsonBody = (event: APIGatewayProxyEventV2): unknown => {
  try {
    return JSON.parse(bodyText(event));
  } catch (error) {
    throw new HubError('invalid-json', 'The body is not JSON.', { retry: 'never', cause: error });
  }
};

/** An opaque cursor: the key behind which the next page begins. */
export const cursorOf = (key: string): string => Buffer.from(key).toString('base64url');
export const Cursor = z
  .string()
  .min(1, 'expected the `next` of the page before; leave it out for the first page')
  .transform((text) => Buffer.from(text, 'base64url').toString());
