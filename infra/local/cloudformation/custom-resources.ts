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
   * Invokes the function of a custom resource and reads the response that the function uploads to the response URL.
   *
   * @throws Error if the function fails, uploads no response, or uploads one whose status is not `SUCCESS`.
   */
  run(resource: CustomResource, type: RequestType): Promise<void>;
  /** Receives a function's response; undefined for other requests. */
  respond(request: AwsRequest): AwsResponse | undefined;
}

const RESPONSE_PATH = '/cloudformation-custom-resource-response';
/** In AWS it is also a presigned URL of S3: the request has no signature in its headers. */
export const RESPONSE_URL = `https://s3.amazonaws.com${RESPONSE_PATH}`;

const Response = z.looseObject({
  RequestId: z.string(),
  Status: z.string(),
  Reason: z.string().optional(),
  PhysicalResourceId: z.string().optional(),
});

/** CloudFormation's protocol for custom resources. `invoke` runs a function, by its ARN, until it ends. */
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
        throw new Error(`The function of the custom resource ${id} uploaded no response to its ResponseURL.`);
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
