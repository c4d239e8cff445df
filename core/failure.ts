import * as z from 'zod';
import { Instant } from './interaction/interaction.ts';

/** How long failures and their payloads are stored. */
export const FAILURE_RETENTION_DAYS = 180;

const Act = z.strictObject({ at: Instant, by: z.string() });

/** One piece of work that could not be done, until a person has mended the cause and replayed it, or dismissed it. */
export const Failure = z.strictObject({
  id: z.string(),
  /** Whose queue it is put back on. */
  stage: z.string(),
  /** `refused`: a function said why. `dead-letter`: a queue gave up. `rule`, `schedule`: EventBridge could not hand it over. */
  origin: z.enum(['refused', 'dead-letter', 'rule', 'schedule']),
  code: z.string(),
  /** A sentence for the person who must act. */
  reason: z.string(),
  /** What it is about: ids alone. */
  about: z.record(z.string(), z.string()),
  status: z.enum(['open', 'replaying', 'replayed', 'dismissed']),
  firstFailedAt: Instant,
  /** The last time. */
  failedAt: Instant,
  /** How often it has failed: once, and once more for each replay that failed. */
  count: z.int().positive(),
  /** How often it was tried before it was given up, the last time. */
  tries: z.int().positive(),
  /** The queue message that failed last: told twice, it counts once. */
  occurrence: z.string(),
  /** Counts every change. */
  version: z.int().positive(),
  /** Where the payload lies in the hub's bucket. */
  payloadKey: z.string(),
  edited: Act.optional(),
  replayed: Act.optional(),
  dismissed: Act.optional(),
});
export type Failure = z.infer<typeof Failure>;

interface Explanation {
  readonly means: string;
  readonly act: string;
}

/** What each code means and what to do. Codes that a CRM gives itself are explained by their beginning. */
export const explanations: Readonly<Record<string, Explanation>> = {
  unreadable: {
    means: 'An authentic delivery is not what the mapping of its provider expects.',
    act: 'Mend mappings/channels/<provider>.ts, or edit the payload, then replay.',
  },
  'content-unreachable': {
    means:
      'What a webhook only points at (a mail, a form, a file) could not be fetched in four tries. The interaction is recorded without it.',
    act: 'Replay it once the provider answers again: the content completes the interaction that is stored, or that waits for review.',
  },
  'content-refused': {
    means:
      'The provider does not give what a webhook points at, or it is too large. The interaction is recorded without it.',
    act: 'See in the reason what was met; store the secret that it takes with hub connect, then replay: the content completes what is stored.',
  },
  'unreadable-message': {
    means:
      'A queue message is not what its stage expects: something else has written to the queue, or a release has changed the format.',
    act: 'Edit the payload into the form that the reason names and replay, or dismiss it.',
  },
  'no-answer': {
    means: 'The function ended each time without saying why: it ran out of time or of memory.',
    act: 'Read the log of the function at that time. Raise its memory or timeout, or edit what is too large, then replay.',
  },
  unexpected: {
    means:
      'The function failed in a way that nobody has foreseen. The reason names the kind of error and where it happened.',
    act: 'Read the log of the function at that time; replay once the cause is mended.',
  },
  'rule-undelivered': {
    means: 'EventBridge could not put an event on the queue of the stage.',
    act: 'See in the reason what EventBridge met: most often a queue that is gone or a queue policy that was changed. Deploy the stack again, then replay.',
  },
  'schedule-undelivered': {
    means: 'EventBridge Scheduler could not put the end of a wait on the queue of the stage.',
    act: 'See in the reason what the scheduler met: most often a queue that is gone or a role that was changed. Deploy the stack again, then replay.',
  },
  'sender-refused': {
    means: 'Every channel of the notification was tried and each sender refused it for good.',
    act: 'Mend what the sender names (an address, a template, an account still in its sandbox), then replay: the channels are chosen anew.',
  },
  'send-in-doubt': {
    means:
      'The connection broke while a marketing message was sent; nobody knows whether it went out, and marketing goes out at most once.',
    act: 'Look in the account of the sender. Replay only if it was not sent: a replay sends it.',
  },
  template: {
    means: 'The template misses a variable for this customer or writes something that its medium refuses.',
    act: 'Give the variable a default in the template and publish the trigger. Versions already started keep their template, so dismiss what is no longer wanted.',
  },
  'no-template': {
    means: 'The published version of the trigger has no template for the channel.',
    act: 'Publish the trigger with a template for the channel.',
  },
  'unknown-customer': {
    means: 'A command names an identifier that no customer holds.',
    act: 'Edit the identifier and replay, or dismiss the command.',
  },
  'no-identifier': {
    means: 'Nothing that a command or a row of a list names a person by can be used.',
    act: 'Edit the identifiers and replay, or dismiss it.',
  },
  'not-merged': {
    means: 'A command wants to take apart what was never merged.',
    act: 'Dismiss it, or edit the identifier and replay.',
  },
  'unknown-trigger': {
    means: 'The version of the trigger that decided is not stored any more.',
    act: 'Dismiss it: without its version the trigger cannot be evaluated.',
  },
  'write-conflict': {
    means: 'The same customer was changed by others each time this was tried.',
    act: 'Replay it. If it comes back, something floods one customer: look at their timeline.',
  },
  'table-busy': {
    means: 'DynamoDB left requests undone each time this was tried.',
    act: 'Replay it. If it comes back, look at the throttling of the table in CloudWatch.',
  },
  unpublished: {
    means: 'What happened is stored, but the event bus did not take the events each time this was tried.',
    act: 'Replay it: nothing is stored twice, and the same events are published.',
  },
  'not-configured': {
    means: 'A part of the configuration was never applied to this hub.',
    act: 'Deploy the stack again, then replay.',
  },
  'secret-unreadable': {
    means: 'Secrets Manager did not give a secret, or it does not hold what is expected.',
    act: 'Store the secret anew as the guide of its connector says, then replay.',
  },
  'salesforce-': {
    means: 'Salesforce refused the record with the status code that follows.',
    act: 'Mend the record, the field or the permission in Salesforce, or mappings/crm/salesforce.yaml, then replay.',
  },
  'hubspot-': {
    means: 'HubSpot refused the record with the category that follows.',
    act: 'Mend the record or the property in HubSpot, or mappings/crm/hubspot.yaml, then replay.',
  },
};

/** A code's explanation, or that of the kind it belongs to. */
export const explanationOf = (code: string): Explanation => {
  const kind = Object.keys(explanations).find((one) => one.endsWith('-') && code.startsWith(one));
  return (
    explanations[code] ??
    explanations[kind ?? ''] ?? {
      means: 'The stage could not do this piece of work.',
      act: 'Do what the reason says, then replay.',
    }
  );
};
