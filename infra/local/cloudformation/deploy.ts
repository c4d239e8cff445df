import * as z from 'zod';
import type { AwsRequest, AwsResponse } from '../protocol/service.ts';
import type { Assembly } from './assembly.ts';
import type { DeployContext, RestCall } from './resource-type.ts';
import { resourceTypeOf } from './resource-types.ts';
import { type Created, creationOrder, Resolver } from './template.ts';

export interface DeployOptions
  extends Pick<DeployContext, 'region' | 'account' | 'publicUrl' | 'functions' | 'endpointRegion'> {
  readonly stackName: string;
  /** The services of the runtime. */
  readonly aws: (request: AwsRequest) => Promise<AwsResponse>;
}

export const deployContext = ({ aws, ...options }: DeployOptions): DeployContext => {
  const rest = async (service: string, call: RestCall): Promise<string> => {
    const { method, path, query = '', headers = {}, body } = call;
    const credential = `CLOUDFORMATION/20260101/${options.region}/${service}/aws4_request`;
    const response = await aws({
      ...{ method, path, query, body: Buffer.from(body) },
      headers: { authorization: `AWS4-HMAC-SHA256 Credential=${credential}`, ...headers },
    });
    const text = Buffer.from(response.body).toString();
    if (response.status < 400) return text;
    const error = new Error(`${service} refused ${headers['x-amz-target'] ?? `${method} ${path}`}: ${text}`);
    error.name = response.headers['x-amzn-errortype'] ?? errorNameIn(text);
    throw error;
  };
  return {
    ...options,
    routes: [],
    integrations: new Map(),
    throttles: new Map(),
    eventSources: [],
    customResources: [],
    async call(service, target, input) {
      const version = service === 'dynamodb' || service === 'sqs' ? '1.0' : '1.1';
      const headers = { 'x-amz-target': target, 'content-type': `application/x-amz-json-${version}` };
      const text = await rest(service, { method: 'POST', path: '/', headers, body: JSON.stringify(input) });
      return Output.parse(JSON.parse(text || '{}'));
    },
    async callQuery(service, fields) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const body = new URLSearchParams(fields).toString();
      await rest(service, { method: 'POST', path: '/', headers, body });
    },
    async callRest(service, call) {
      await rest(service, call);
    },
  };
};

const Output = z.record(z.string(), z.unknown());

/** The error code in the body of a JSON, query or REST response. */
const errorNameIn = (text: string): string =>
  /"__type"\s*:\s*"(?:[^"#]*#)?([^"]+)"|<Code>([^<]+)<\/Code>/u.exec(text)?.slice(1).find(Boolean) ?? 'Error';

/**
 * Creates every resource of the template, each after the resources that it refers to.
 *
 * @throws Error that names the resource if its type or one of its properties is not supported.
 */
export const deploy = async (
  { template }: Assembly,
  context: DeployContext,
  onCreated: (type: string, id: string, properties: unknown, created: Created) => void,
): Promise<Map<string, Created>> => {
  const created = new Map<string, Created>();
  const resolver = new Resolver(template, created, context);
  for (const id of creationOrder(template)) {
    const resource = template.Resources[id];
    const type = resource && resourceTypeOf(resource.Type);
    if (resource === undefined || type === undefined)
      throw new Error(
        `The template's resource ${id} has the type ${resource?.Type}, which the local runtime does not support. Add it to a resources.ts in infra/local.`,
      );
    const properties = type.schema.safeParse(resolver.resolve(resource.Properties));
    if (!properties.success)
      throw new Error(
        `The template's resource ${id} (${resource.Type}) has properties that the local runtime does not support:\n${z.prettifyError(properties.error)}`,
      );
    const result = await type.create(id, properties.data as never, context);
    created.set(id, result);
    onCreated(resource.Type, id, properties.data, result);
  }
  return created;
};

/** The outputs of a deployed template. */
export const outputsOf = (
  { template }: Assembly,
  created: ReadonlyMap<string, Created>,
  context: DeployContext,
): Record<string, string> => {
  const resolver = new Resolver(template, created, context);
  return Object.fromEntries(
    Object.entries(template.Outputs).map(([name, { Value }]) => [name, String(resolver.resolve(Value))]),
  );
};
