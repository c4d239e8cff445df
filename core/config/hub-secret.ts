import * as z from 'zod';

/** A secret of the hub. The stack lists them, and a deployment creates those that are missing. */
export const HubSecret = z.strictObject({
  /** Without the name of the hub: `channels/twilio`. */
  name: z.string(),
  description: z.string(),
  /** `generated`: `{ "keys": "…" }` with a random value. `empty`: `{}` until a person fills it in, which every connector refuses. */
  value: z.enum(['generated', 'empty']),
});
export type HubSecret = z.infer<typeof HubSecret>;
