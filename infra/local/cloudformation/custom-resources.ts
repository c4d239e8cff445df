import * as z from 'zod';
import type { AwsRequest, AwsResponse } from '../protocol/service.ts';

/** A custom resource of the template; `serviceToken` is the ARN of the function that creates it. */
export interface CustomResource {
  readonly id: string;
  readonly type: string;
  readonly serviceToken: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export type RequestType = 'Create' | 'Update' | 'Delete';

export interface CustomResources {
  /**
   * Invokes the function of a custom resource and reads the response that it puts at the response URL.
   *
   * @throws Error where the function fails, puts no response, or puts one that is not `SUCCESS`.
   */
  run(resource: CustomResource, type: RequestType): Promise<void>;
  /** Takes a function's response; undefined for a request that is none. */
  respond(request: AwsRequest): AwsResponse | undefined;
}

const RESPONSE_PATH = '/cloudformation-custom-resource-response';
/** In an account too it is a presigned URL of S3, which is put without a signature in the headers. */
export const RESPONSE_URL = `https://s3.amazonaws.com${RESPONSE_PATH}`;

const Response = z.looseObject({
  RequestId: z.string(),
  Status: z.string(),
  Reason: z.string().optional(),
  PhysicalResourceId: z.string().optional(),
});

/** CloudFormation's side of custom resources. `invoke` runs a function, by its ARN, and waits for its end. */
export const customResources = (
  newId: () => string,
  invoke: (functionArn: string, event: object) => Promise<unknown>,
): CustomResources => {
  const responses = new Map<string, z.infer<typeof Response>>();
  const physicalIds = new Map<string, string>();
  return {
    async run({ id, type, serviceToken, properties }, RequestType) {
      const RequestId = newId();
      const PhysicalResourceId = physicalIds.get(id);
      await invoke(serviceToken, {
        RequestType,
        ResponseURL: RESPONSE_URL,
        StackId: 'local',
        RequestId,
        LogicalResourceId: id,
        ...(PhysicalResourceId !== undefined && { PhysicalResourceId }),
        ResourceType: type,
        ResourceProperties: properties,
      });
      const response = responses.get(RequestId);
      responses.delete(RequestId);
      if (response === undefined)
        throw new Error(`The function of the custom resource ${id} put no response at its ResponseURL.`);
      if (response.Status !== 'SUCCESS')
        throw new Error(`The custom resource ${id} failed: ${response.Reason}`);
      if (response.PhysicalResourceId !== undefined) physicalIds.set(id, response.PhysicalResourceId);
    },
    respond({ method, path, body }) {
      if (method !== 'PUT' || path !== RESPONSE_PATH) return undefined;
      const response = Response.parse(JSON.parse(Buffer.from(body).toString()));
      responses.set(response.RequestId, response);
      return { status: 200, headers: {}, body: '' };
    },
  };
};
