import * as z from 'zod';
import { Duration } from '../config/duration.ts';
import { HubError } from '../errors.ts';
import { parsePattern } from './pattern/index.ts';

/** A pattern in EventBridge's syntax over an event's `detail`, validated when the trigger is read. */
export const EventPattern = z
  .record(z.string(), z.json())
  .superRefine((pattern, context) => {
    try {
      parsePattern(pattern);
    } catch (error) {
      context.addIssue({
        code: 'custom',
        message: error instanceof HubError ? error.message : String(error),
      });
    }
  })
  .meta({ title: 'pattern' });
export type EventPattern = z.infer<typeof EventPattern>;

/** A condition on the customer: on the interactions, on the profile, or a combination. */
export type Condition =
  | {
      readonly count: EventPattern;
      readonly within: number;
      readonly atLeast?: number | undefined;
      readonly atMost?: number | undefined;
      readonly exactly?: number | undefined;
    }
  | { readonly customer: EventPattern }
  | { readonly conversation: 'none-waiting' }
  | { readonly not: Condition }
  | { readonly any: readonly Condition[] }
  | { readonly all: readonly Condition[] };

const Count = z.int().nonnegative();
export const Condition: z.ZodType<Condition> = z
  .lazy(() =>
    z.union([
      z
        .strictObject({
          count: EventPattern.describe('which interactions of the customer are counted'),
          within: Duration.describe('how far back: those later than so long ago, and not after now'),
          atLeast: Count.optional().describe('holds from so many on'),
          atMost: Count.optional().describe('holds up to so many'),
          exactly: Count.optional().describe('holds with exactly so many'),
        })
        .refine((one) => one.atLeast !== undefined || one.atMost !== undefined || one.exactly !== undefined, {
          error: 'expected atLeast, atMost or exactly beside count',
        }),
      z.strictObject({ customer: EventPattern.describe('a pattern on the profile') }),
      z.strictObject({
        conversation: z
          .literal('none-waiting')
          .describe('holds while no message of the customer waits for an answer'),
      }),
      z.strictObject({ not: Condition.describe('holds where the condition does not') }),
      z.strictObject({ any: z.array(Condition).min(1).describe('holds where one of them does') }),
      z.strictObject({ all: z.array(Condition).min(1).describe('holds where all of them do') }),
    ]),
  )
  .meta({ title: 'condition', id: 'Condition' });
