import type * as z from 'zod';
import type { DeployContext } from './resources.ts';
import type { Created } from './template.ts';

export interface ResourceType {
  readonly schema: z.ZodType<unknown>;
  readonly create: (id: string, properties: never, workshop: DeployContext) => Promise<Created> | Created;
}

/** A resource type: its strict schema, so that an unknown property is an error, and what its creation does. */
export const resourceType = <Schema extends z.ZodType>(
  schema: Schema,
  create: (id: string, properties: z.output<Schema>, workshop: DeployContext) => Promise<Created> | Created,
): ResourceType => ({ schema, create });
