import type { DatabaseSync } from 'node:sqlite';
import type { LambdaFunction } from '../lambda/function.ts';
import type { AwsRequest, AwsResponse } from '../protocol/service.ts';
import { callOf } from '../s3/request.ts';
import type { Permissions } from './index.ts';
import { refusedAnswer, unknownKeyAnswer } from './refusal.ts';
import { accessRequestsOf, type KnownResources } from './requests/index.ts';

export interface AuthorizationOptions {
  readonly permissions: Permissions;
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  readonly db: DatabaseSync;
  readonly region: string;
  readonly account: string;
}

/** `caller` is the name of the function that signed a request; undefined for every other key. */
export interface RequestAuthorization {
  /** The answer to a request that the policies do not allow; undefined where they do. */
  refuse(
    service: string,
    operation: string,
    request: AwsRequest,
    caller: string | undefined,
  ): AwsResponse | undefined;
  /** Turns the 404 of S3 into a refusal for a caller that may not list the bucket, as S3 does. */
  hideMissing(
    service: string,
    request: AwsRequest,
    caller: string | undefined,
    response: AwsResponse,
  ): AwsResponse;
}

/**
 * Authorizes requests by the policies of the template. A key that is no function's belongs to the account's
 * administrator, so that CloudFormation, the command line and foreign clients may do everything except what a resource
 * policy denies to all.
 */
export const requestAuthorization = ({
  permissions,
  functions,
  db,
  region,
  account,
}: AuthorizationOptions): RequestAuthorization => {
  const known: KnownResources = {
    ...{ region, account, keyOf: permissions.keyOf, partitionKeyOf: permissions.partitionKeyOf },
    functionOfSource(id) {
      const row = db.prepare('SELECT function FROM lambda_event_sources WHERE id = ?').get(id);
      return functions.get(String(row?.['function']))?.arn;
    },
    secretArn: (id) => {
      const row = db.prepare('SELECT arn FROM secrets WHERE name = ? OR arn = ?').get(id, id);
      return row === undefined ? undefined : String(row['arn']);
    },
  };
  const roleOf = (caller: string) => ({ role: functions.get(caller)?.roleArn ?? '', session: caller });
  return {
    refuse(service, operation, request, caller) {
      if (caller === undefined && request.secure !== false) return undefined;
      if (caller !== undefined && !functions.has(caller)) return unknownKeyAnswer(service, request);
      const transport = { 'aws:securetransport': [String(request.secure !== false)] };
      for (const access of accessRequestsOf(service, request, operation, known)) {
        const inContext = { ...access, context: { ...transport, ...access.context } };
        const refusal =
          caller === undefined
            ? permissions.denial(inContext)
            : permissions.refusal(roleOf(caller), inContext);
        if (refusal) return refusedAnswer(service, request, refusal);
      }
      return undefined;
    },
    hideMissing(service, request, caller, response) {
      if (service !== 's3' || response.status !== 404 || caller === undefined) return response;
      const actor = roleOf(caller);
      const listing = { action: 's3:ListBucket', resource: `arn:aws:s3:::${callOf(request).bucket}` };
      if (permissions.allows(actor, listing)) return response;
      const session = `arn:aws:sts::${account}:assumed-role/${actor.role.split('/').at(-1)}/${actor.session}`;
      return refusedAnswer(service, request, {
        ...listing,
        caller: session,
        because: 'no-identity-policy',
      });
    },
  };
};
