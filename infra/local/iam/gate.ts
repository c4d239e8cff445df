import type { DatabaseSync } from 'node:sqlite';
import type { LambdaFunction } from '../cloudformation/resources.ts';
import type { AwsRequest, AwsResponse } from '../protocol/service.ts';
import { callOf } from '../s3/request.ts';
import type { Permissions } from './index.ts';
import { needsOf, type Place } from './needs.ts';
import { refusedAnswer, strangerAnswer } from './refusal.ts';

interface GateOptions {
  readonly permissions: Permissions;
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  readonly db: DatabaseSync;
  readonly region: string;
  readonly account: string;
}

/**
 * Stands in front of the services: the answer to a request that its caller's policies do not allow, or undefined. The
 * caller is the name of a function, because the key was one that the runtime gives to functions (they begin with
 * `LOCAL`); any other key is the account's administrator, so that CloudFormation, the command line and foreign clients
 * with keys of their own invention may do everything, save what a resource's policy denies to all.
 */
export const gate = ({ permissions, functions, db, region, account }: GateOptions) => {
  const place: Place = {
    region,
    account,
    keyOf: permissions.keyOf,
    partitionKeyOf: permissions.partitionKeyOf,
    secretArn: (id) => {
      const row = db.prepare('SELECT arn FROM secrets WHERE name = ? OR arn = ?').get(id, id);
      return row === undefined ? undefined : String(row['arn']);
    },
  };
  const roleOf = (caller: string | undefined) =>
    caller === undefined ? undefined : { role: functions.get(caller)?.roleArn ?? '', session: caller };
  const admit = (
    service: string,
    operation: string,
    request: AwsRequest,
    caller: string | undefined,
  ): AwsResponse | undefined => {
    if (caller === undefined && request.secure !== false) return undefined;
    const transport = { 'aws:securetransport': [String(request.secure !== false)] };
    const needs = needsOf(service, request, operation, place).map((need) => ({
      ...need,
      context: { ...transport, ...need.context },
    }));
    if (caller === undefined) {
      for (const need of needs) {
        const denial = permissions.denial(need);
        if (denial) return refusedAnswer(service, request, denial);
      }
      return undefined;
    }
    const actor = roleOf(caller);
    if (actor === undefined || !functions.has(caller)) return strangerAnswer(service, request);
    for (const need of needs) {
      const refusal = permissions.refusal(actor, need);
      if (refusal) return refusedAnswer(service, request, refusal);
    }
    return undefined;
  };
  /** S3 tells that an object does not exist only to those who may list its bucket. */
  const disclose = (
    service: string,
    request: AwsRequest,
    caller: string | undefined,
    response: AwsResponse,
  ): AwsResponse => {
    const actor = roleOf(caller);
    if (service !== 's3' || response.status !== 404 || actor === undefined) return response;
    const bucket = `arn:aws:s3:::${callOf(request).bucket}`;
    const listing = { action: 's3:ListBucket', resource: bucket };
    if (permissions.allows(actor, listing)) return response;
    const because = 'no-identity-policy';
    const session = `arn:aws:sts::${account}:assumed-role/${actor.role.split('/').at(-1)}/${actor.session}`;
    return refusedAnswer(service, request, { ...listing, caller: session, because });
  };
  return { admit, disclose };
};
