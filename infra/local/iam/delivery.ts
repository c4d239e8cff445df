import type { Delivery } from '../protocol/service.ts';
import type { Permissions } from './index.ts';
import { PermissionError } from './permission-error.ts';
import { sentenceOf } from './refusal.ts';

/** The action of a delivery, by what its target's ARN contains; of every other ARN it is an invocation. */
const actions: readonly (readonly [string, string])[] = [
  [':sqs:', 'sqs:SendMessage'],
  [':event-bus/', 'events:PutEvents'],
  [':sns:', 'sns:Publish'],
  [':s3:', 's3:PutObject'],
];

/** Scheduler assumes a role for the group of a schedule, every other service for its own resource. */
const assumedFor = (source: string): string =>
  source.replace(/^(arn:aws:scheduler:[^:]*:[^:]*:)schedule\/([^/]+)\/.*$/su, '$1schedule-group/$2');

/**
 * Validates that a service may deliver to a resource, in its own name or with a role.
 *
 * @throws PermissionError where a trust policy, a resource policy or a key policy does not allow it.
 */
export const authorizeDelivery = (
  permissions: Permissions,
  { arn, source, principal, role }: Delivery,
): void => {
  if (role !== undefined && !permissions.mayAssume(principal, assumedFor(source), role))
    throw new PermissionError(`${source}: ${principal} is not allowed to assume the role ${role}.`);
  const action = actions.find(([part]) => arn.includes(part))?.[1] ?? 'lambda:InvokeFunction';
  const actor = role === undefined ? { service: principal, source } : { role, session: principal };
  const key = permissions.keyOf(arn.replace(/^(arn:aws:s3:::[^/]+)\/.*$/su, '$1'));
  const keyActions = key === undefined ? [] : ['kms:GenerateDataKey', 'kms:Decrypt'];
  for (const request of [
    { action, resource: arn },
    ...keyActions.map((keyAction) => ({ action: keyAction, resource: key ?? '' })),
  ]) {
    const refusal = permissions.refusal(actor, request);
    if (refusal) throw new PermissionError(sentenceOf(refusal));
  }
};
