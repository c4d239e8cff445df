import * as z from 'zod';
import { asServiceError, ServiceError } from '../protocol/json.ts';
import type { AwsRequest, AwsResponse, AwsService, ServiceContext } from '../protocol/service.ts';
import { transaction } from '../protocol/transaction.ts';
import { dueAfter, type Schedule, scheduleOf } from './definition.ts';
import { firing, type StoredSchedule } from './firing.ts';

const Tags = z.array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) }));
const Group = z.strictObject({
  ClientToken: z.string().optional(),
  Tags: Tags.default([]),
});

interface StoredGroup {
  readonly name: string;
  readonly tags: z.infer<typeof Tags>;
  readonly createdAt: number;
}

const answer = (status: number, body: unknown): AwsResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const missing = (what: string, name: string): ServiceError =>
  new ServiceError('ResourceNotFoundException', `${what} ${name} does not exist.`, 404);
const conflict = (what: string, name: string): ServiceError =>
  new ServiceError('ConflictException', `${what} ${name} already exists.`, 409);

/** EventBridge Scheduler on one machine: one-time and recurring schedules, which fire exactly on time. */
export const scheduler = (surroundings: ServiceContext): AwsService => {
  const { db, clock, region, account } = surroundings;
  db.exec(`
    CREATE TABLE IF NOT EXISTS scheduler_schedule_groups (name TEXT PRIMARY KEY, tags TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;
  `);
  const statements = {
    addGroup: db.prepare('INSERT OR IGNORE INTO scheduler_schedule_groups VALUES (?, ?, ?)'),
    group: db.prepare('SELECT * FROM scheduler_schedule_groups WHERE name = ?'),
    groups: db.prepare('SELECT * FROM scheduler_schedule_groups WHERE name > ? ORDER BY name'),
    tagGroup: db.prepare('UPDATE scheduler_schedule_groups SET tags = ? WHERE name = ?'),
    removeGroup: db.prepare('DELETE FROM scheduler_schedule_groups WHERE name = ?'),
  };
  statements.addGroup.run('default', '[]', clock.now());
  const schedules = firing(surroundings);
  const arnOf = (rest: string): string => `arn:aws:scheduler:${region}:${account}:${rest}`;
  const scheduleArn = (group: string, name: string): string => arnOf(`schedule/${group}/${name}`);

  const groupOf = (row: Record<string, unknown>): StoredGroup => ({
    name: String(row['name']),
    tags: Tags.parse(JSON.parse(String(row['tags']))),
    createdAt: Number(row['created_at']),
  });
  const expectGroup = (name: string): StoredGroup => {
    const row = statements.group.get(name);
    if (row === undefined) throw missing('Schedule group', name);
    return groupOf(row);
  };
  const expectSchedule = (group: string, name: string): StoredSchedule => {
    expectGroup(group);
    const stored = schedules.find(group, name);
    if (stored === undefined) throw missing('Schedule', name);
    return stored;
  };

  const put = (name: string, body: unknown, replaces: boolean): AwsResponse => {
    const schedule = scheduleOf(name, body, clock.now());
    const group = schedule.GroupName;
    expectGroup(group);
    const present = replaces ? expectSchedule(group, name) : schedules.find(group, name);
    if (present && !replaces) {
      const token = schedule.ClientToken;
      if (token === undefined || present.schedule.ClientToken !== token) throw conflict('Schedule', name);
      return answer(200, { ScheduleArn: scheduleArn(group, name) });
    }
    const modifiedAt = clock.now();
    const createdAt = present?.createdAt ?? modifiedAt;
    const due = dueAfter(schedule, modifiedAt, modifiedAt);
    schedules.put({ group, name, schedule, createdAt, modifiedAt, due });
    return answer(200, { ScheduleArn: scheduleArn(group, name) });
  };
  const onSchedule = ({ method, query }: AwsRequest, name: string, body: unknown): AwsResponse => {
    if (method === 'POST' || method === 'PUT') return put(name, body, method === 'PUT');
    const group = new URLSearchParams(query).get('groupName') ?? 'default';
    const stored = expectSchedule(group, name);
    if (method === 'GET') return answer(200, { ...shown(stored), Arn: scheduleArn(group, name) });
    schedules.remove(group, name);
    return answer(200, {});
  };

  const describedGroup = ({ name, createdAt }: StoredGroup) => ({
    Arn: arnOf(`schedule-group/${name}`),
    Name: name,
    State: 'ACTIVE',
    CreationDate: createdAt / 1000,
    LastModificationDate: createdAt / 1000,
  });
  const onGroup = ({ method }: AwsRequest, name: string, body: unknown): AwsResponse => {
    if (method === 'POST') {
      if (!/^[0-9a-zA-Z-_.]{1,64}$/u.test(name))
        throw new ServiceError('ValidationException', `Invalid schedule group name ${name}.`);
      const { Tags: tags } = Group.parse(body);
      if (statements.addGroup.run(name, JSON.stringify(tags), clock.now()).changes === 0)
        throw conflict('Schedule group', name);
      return answer(200, { ScheduleGroupArn: arnOf(`schedule-group/${name}`) });
    }
    const group = expectGroup(name);
    if (method === 'GET') return answer(200, describedGroup(group));
    if (name === 'default')
      throw new ServiceError('ValidationException', 'The default schedule group cannot be deleted.');
    transaction(db, () => {
      for (const one of schedules.list({ group: name, name: '' }))
        if (one.group === name) schedules.remove(name, one.name);
      statements.removeGroup.run(name);
    });
    return answer(200, {});
  };
  const onTags = ({ method, query }: AwsRequest, arn: string, body: unknown): AwsResponse => {
    const group = expectGroup(arn.split('schedule-group/')[1] ?? '');
    if (method === 'GET') return answer(200, { Tags: group.tags });
    const gone = new URLSearchParams(query).getAll('TagKeys');
    const added = method === 'POST' ? z.strictObject({ Tags }).parse(body).Tags : [];
    const kept = group.tags.filter(({ Key }) => !gone.includes(Key) && !added.some((tag) => tag.Key === Key));
    statements.tagGroup.run(JSON.stringify([...kept, ...added]), group.name);
    return answer(200, {});
  };

  const listSchedules = ({ query }: AwsRequest): AwsResponse => {
    const asked = new URLSearchParams(query);
    const [group, prefix, state] = [
      asked.get('ScheduleGroup'),
      asked.get('NamePrefix') ?? '',
      asked.get('State'),
    ];
    if (group !== null) expectGroup(group);
    const found = schedules
      .list(positionOf(asked.get('NextToken')))
      .filter(
        (one) =>
          (group === null || one.group === group) &&
          one.name.startsWith(prefix) &&
          (state === null || one.schedule.State === state),
      );
    const page = found.slice(0, limitOf(asked));
    const last = page.at(-1);
    return answer(200, {
      Schedules: page.map((one) => {
        const { Arn: TargetArn } = one.schedule.Target;
        const { Name, GroupName, State, CreationDate, LastModificationDate } = shown(one);
        const about = { Name, GroupName, State, CreationDate, LastModificationDate };
        return { ...about, Arn: scheduleArn(one.group, one.name), Target: { Arn: TargetArn } };
      }),
      ...(last !== undefined && found.length > page.length && { NextToken: tokenOf(last) }),
    });
  };
  const listGroups = ({ query }: AwsRequest): AwsResponse => {
    const asked = new URLSearchParams(query);
    const prefix = asked.get('NamePrefix') ?? '';
    const after = positionOf(asked.get('NextToken')).group;
    const found = statements.groups
      .all(after)
      .map(groupOf)
      .filter(({ name }) => name.startsWith(prefix));
    const page = found.slice(0, limitOf(asked));
    const last = page.at(-1);
    return answer(200, {
      ScheduleGroups: page.map(describedGroup),
      ...(last && found.length > page.length && { NextToken: tokenOf({ group: last.name, name: '' }) }),
    });
  };

  const perform = (request: AwsRequest): AwsResponse => {
    const [, resource = '', name] = request.path.split('/').map(decodeURIComponent);
    const text = Buffer.from(request.body).toString();
    const body: unknown = text === '' ? {} : JSON.parse(text);
    if (resource === 'schedules')
      return name === undefined ? listSchedules(request) : onSchedule(request, name, body);
    if (resource === 'schedule-groups')
      return name === undefined ? listGroups(request) : onGroup(request, name, body);
    if (resource === 'tags' && name !== undefined) return onTags(request, name, body);
    throw new ServiceError(
      'UnknownOperationException',
      `The local scheduler does not know ${request.method} ${request.path}.`,
    );
  };
  return {
    signingName: 'scheduler',
    operation: operationOf,
    async handle(request) {
      try {
        return perform(request);
      } catch (error) {
        const known = asServiceError(error);
        const response = answer(known.status, { Message: known.message });
        return { ...response, headers: { ...response.headers, 'x-amzn-errortype': known.type } };
      }
    },
  };
};

const operationOf = ({ path, method }: AwsRequest): string => {
  const [, resource = '', name] = path.split('/');
  if (resource === 'tags')
    return { GET: 'ListTagsForResource', POST: 'TagResource' }[method] ?? 'UntagResource';
  const verb = { GET: 'Get', POST: 'Create', PUT: 'Update', DELETE: 'Delete' }[method] ?? method;
  if (name === undefined) return resource === 'schedules' ? 'ListSchedules' : 'ListScheduleGroups';
  return `${verb}Schedule${resource === 'schedule-groups' ? 'Group' : ''}`;
};

/** A schedule as it is told; the client token is between the service and whoever created it. */
const shown = ({ name, schedule, createdAt, modifiedAt }: StoredSchedule) => {
  const { ClientToken: _, ...definition }: Schedule = schedule;
  return {
    Name: name,
    ...definition,
    CreationDate: createdAt / 1000,
    LastModificationDate: modifiedAt / 1000,
  };
};

const limitOf = (asked: URLSearchParams): number => {
  const most = Number(asked.get('MaxResults') ?? 100);
  if (Number.isInteger(most) && most >= 1 && most <= 100) return most;
  throw new ServiceError('ValidationException', 'MaxResults is a number from 1 to 100.');
};
const tokenOf = ({ group, name }: { readonly group: string; readonly name: string }): string =>
  Buffer.from(JSON.stringify([group, name])).toString('base64url');
const positionOf = (token: string | null): { readonly group: string; readonly name: string } => {
  if (token === null) return { group: '', name: '' };
  const position = z
    .tuple([z.string(), z.string()])
    .safeParse(JSON.parse(Buffer.from(token, 'base64url').toString()));
  if (!position.success) throw new ServiceError('ValidationException', 'The NextToken is none.');
  return { group: position.data[0], name: position.data[1] };
};
