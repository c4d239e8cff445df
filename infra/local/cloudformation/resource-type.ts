import * as z from 'zod';
import type { Throttle } from '../api-gateway/http-api.ts';
import type { EventSource, LambdaFunction } from '../lambda/function.ts';
import type { CustomResource } from './custom-resources.ts';
import type { Created } from './template.ts';

/** A route of an HTTP API and its function. */
interface DeployedRoute {
  readonly api: string;
  readonly key: string;
  readonly functionArn: string;
  readonly timeoutMs: number | undefined;
}

/** A REST request to a service of the runtime. */
export interface RestCall {
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The inputs for the creation of resources, and the lists of those that the runtime must connect. */
export interface DeployContext {
  readonly region: string;
  readonly account: string;
  readonly stackName: string;
  readonly publicUrl: string;
  /** The region of the services; another one if real endpoints replace some of them. */
  readonly endpointRegion: string;
  /**
   * Calls a service with its JSON protocol; `operation` is the value of `X-Amz-Target`.
   *
   * @throws Error whose name is the service's error code.
   */
  readonly call: (
    service: string,
    operation: string,
    input: object,
  ) => Promise<Readonly<Record<string, unknown>>>;
  /** Calls a service with its query protocol. Throws as `call` does. */
  readonly callQuery: (service: string, fields: Readonly<Record<string, string>>) => Promise<void>;
  /** Calls a REST service. Throws as `call` does. */
  readonly callRest: (service: string, call: RestCall) => Promise<void>;
  readonly functions: Map<string, LambdaFunction>;
  readonly routes: DeployedRoute[];
  readonly integrations: Map<string, Pick<DeployedRoute, 'functionArn' | 'timeoutMs'>>;
  /** The throttling of the routes of the HTTP API by their keys; `$default` is for all others together. */
  readonly throttles: Map<string, Throttle>;
  readonly eventSources: EventSource[];
  readonly customResources: CustomResource[];
}

export interface ResourceType {
  readonly schema: z.ZodType<unknown>;
  readonly create: (id: string, properties: never, context: DeployContext) => Promise<Created> | Created;
}

export type ResourceTypes = Readonly<Record<string, ResourceType>>;

/** Defines a resource type: a strict schema, which rejects unknown properties, and a function that creates the resource. */
export const resourceType = <Schema extends z.ZodType>(
  schema: Schema,
  create: (id: string, properties: z.output<Schema>, context: DeployContext) => Promise<Created> | Created,
): ResourceType => ({ schema, create });

/** Defines a type that is validated and has no effect on one machine, such as an alarm. */
export const inertType = (
  schema: z.ZodType,
  arn: (name: string, context: DeployContext) => string = (name) => name,
): ResourceType =>
  resourceType(schema, (id, _, context) => {
    const name = physicalName(context, id);
    return { ref: name, attributes: { Arn: arn(name, context) } };
  });

/** The schema of properties that the runtime accepts and ignores. */
export const unused = z.unknown().optional();
/** CloudFormation also accepts numbers as text. */
export const number = z.coerce.number();
export const document = z.record(z.string(), z.unknown());

/** The name of a resource without a name in the template. */
export const physicalName = ({ stackName }: Pick<DeployContext, 'stackName'>, id: string): string =>
  `${stackName}-${id}`;

export const arnOf = (
  { region, account }: Pick<DeployContext, 'region' | 'account'>,
  service: string,
  resource: string,
): string => `arn:aws:${service}:${region}:${account}:${resource}`;

/** The result of a call; undefined if it fails with this error, as a second deployment on the same state does. */
export const unless = async <Result>(error: string, call: Promise<Result>): Promise<Result | undefined> => {
  try {
    return await call;
  } catch (caught) {
    if (caught instanceof Error && caught.name === error) return undefined;
    throw caught;
  }
};
