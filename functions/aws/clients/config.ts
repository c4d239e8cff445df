import type { HttpRequest, HttpResponse, RequestHandler } from '@smithy/types';
import * as z from 'zod';
import type { Runtime } from '../../contracts/runtime.ts';

interface ClientConfig {
  readonly region: string;
  readonly maxAttempts: number;
  readonly credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  readonly requestHandler?: RequestHandler<HttpRequest, HttpResponse>;
}

const Environment = z.object({
  AWS_REGION: z.string(),
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  AWS_SESSION_TOKEN: z.string().optional(),
});

/**
 * The configuration of every SDK client of a function. Three attempts: the SDK repeats a request after a lost connection, a
 * throttle or a 5xx, with a random pause before each; further retries are left to the queue. Without keys in the environment the SDK uses its default credential chain. Throws `ZodError` where
 * `AWS_REGION` is not set.
 */
export const clientConfig = (runtime: Runtime): ClientConfig => {
  const env = Environment.parse(runtime.env);
  const keys =
    env.AWS_ACCESS_KEY_ID === undefined || env.AWS_SECRET_ACCESS_KEY === undefined
      ? undefined
      : {
          accessKeyId: env.AWS_ACCESS_KEY_ID,
          secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
          ...(env.AWS_SESSION_TOKEN !== undefined && { sessionToken: env.AWS_SESSION_TOKEN }),
        };
  return {
    region: env.AWS_REGION,
    maxAttempts: 3,
    ...(keys && { credentials: keys }),
    ...(runtime.aws && { requestHandler: runtime.aws.requestHandler }),
  };
};
