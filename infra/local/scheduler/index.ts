import * as z from 'zod';
import { asServiceError, ServiceError } from '../protocol/json.ts';
import type { AwsRequest, AwsResponse, AwsService, ServiceContext } from '../protocol/service.ts';
import { dueAfter, type Schedule, scheduleOf } from './definition.ts';
import { firing } from './firing.ts';
import { type SchedulerStore, type StoredSchedule, schedulerStore } from './store.ts';

/** An operation of the scheduler; `name` is the last part of the path. */
type SchedulerOperation = (name: string, request: AwsRequest) => object;

/** The local EventBridge Scheduler: one-time and recurring schedules, which fire exactly on time. */
export const scheduler = (context: ServiceContext): AwsService => {
  const store = schedulerStore(context);
  const operations = operationsOf(context, store);
  return {
    signingName: 'scheduler',
    operation: operationOf,
    async handle(request) {
      const operation = Object.hasOwn(operations, operationOf(request))
        ? operations[operationOf(request)]
        : undefined;
      try {
        if (operation === undefined)
          throw new ServiceError(
            'UnknownOperationException',
            `The local scheduler does not support ${request.method} ${request.path}.`,
          );
        return answer(200, operation(decodeURIComponent(request.path.split('/')[2] ?? ''), request));
      } catch (error) {
        const { status, type, message } = asServiceError(error);
        const response = answer(status, { Message: message });
        return { ...response, headers: { ...response.headers, 'x-amzn-errortype': type } };
      }
    },
  };
};

const answer = (status: number, body: object): AwsResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const operationOf = ({ path, method }: AwsRequest): string => {
  const [, resource = '', name] = path.split('/');
  const verb = { GET: 'Get', POST: 'Create', PUT: 'Update', DELETE: 'Delete' }[method] ?? method;
  const kind = resource === 'schedules' ? 'Schedule' : 'ScheduleGroup';
  return name === undefined ? `List${kind}s` : `${verb}${kind}`;
};

const operationsOf = (
  context: ServiceContext,
  store: SchedulerStore,
): Readonly<Record<string, SchedulerOperation>> => {
  const { clock, region, account } = context;
  const schedules = firing(context, store);
  const arnOf = (rest: string): string => `arn:aws:scheduler:${region}:${account}:${rest}`;
  const scheduleArn = (group: string, name: string): string => arnOf(`schedule/${group}/${name}`);
  return {
    CreateScheduleGroup(name) {
      if (!/^[0-9a-zA-Z-_.]{1,64}$/u.test(name))
        throw new ServiceError('ValidationException', `Invalid schedule group name ${name}.`);
      if (!store.addGroup(name)) throw conflict('Schedule group', name);
      return { ScheduleGroupArn: arnOf(`schedule-group/${name}`) };
    },
    CreateSchedule(name, { body }) {
      const now = clock.now();
      const schedule = scheduleOf(name, JSON.parse(Buffer.from(body).toString() || '{}'), now);
      const { GroupName: group, ClientToken: token } = schedule;
      expectGroup(store, group);
      const present = store.find(group, name);
      if (present && (token === undefined || present.schedule.ClientToken !== token))
        throw conflict('Schedule', name);
      const due = dueAfter(schedule, now, now);
      if (!present) schedules.put({ group, name, schedule, createdAt: now, modifiedAt: now, due });
      return { ScheduleArn: scheduleArn(group, name) };
    },
    GetSchedule(name, request) {
      const stored = expectSchedule(store, groupIn(request), name);
      return { ...described(stored), Arn: scheduleArn(stored.group, name) };
    },
    DeleteSchedule(name, request) {
      schedules.remove(expectSchedule(store, groupIn(request), name).group, name);
      return {};
    },
    ListSchedules(_, { query }) {
      const { page, ...next } = pageOf(store, new URLSearchParams(query));
      return {
        Schedules: page.map((one) => {
          const { Name, GroupName, State, CreationDate, LastModificationDate } = described(one);
          return {
            ...{ Name, GroupName, State, CreationDate, LastModificationDate },
            Arn: scheduleArn(one.group, one.name),
            Target: { Arn: one.schedule.Target.Arn },
          };
        }),
        ...next,
      };
    },
  };
};

const missing = (what: string, name: string): ServiceError =>
  new ServiceError('ResourceNotFoundException', `${what} ${name} does not exist.`, 404);
const conflict = (what: string, name: string): ServiceError =>
  new ServiceError('ConflictException', `${what} ${name} already exists.`, 409);

const groupIn = ({ query }: AwsRequest): string => new URLSearchParams(query).get('groupName') ?? 'default';

const expectGroup = (store: SchedulerStore, name: string): void => {
  if (!store.hasGroup(name)) throw missing('Schedule group', name);
};

const expectSchedule = (store: SchedulerStore, group: string, name: string): StoredSchedule => {
  expectGroup(store, group);
  const stored = store.find(group, name);
  if (stored === undefined) throw missing('Schedule', name);
  return stored;
};

/** A schedule as the API returns it, without its client token. */
const described = ({ name, schedule, createdAt, modifiedAt }: StoredSchedule) => {
  const { ClientToken: _, ...definition }: Schedule = schedule;
  return {
    Name: name,
    ...definition,
    CreationDate: createdAt / 1000,
    LastModificationDate: modifiedAt / 1000,
  };
};

const pageOf = (
  store: SchedulerStore,
  query: URLSearchParams,
): { readonly page: readonly StoredSchedule[]; readonly NextToken?: string } => {
  const [group, state] = [query.get('ScheduleGroup'), query.get('State')];
  const prefix = query.get('NamePrefix') ?? '';
  if (group !== null) expectGroup(store, group);
  const found = store
    .list(positionOf(query.get('NextToken')))
    .filter(
      (one) =>
        (group === null || one.group === group) &&
        one.name.startsWith(prefix) &&
        (state === null || one.schedule.State === state),
    );
  const page = found.slice(0, limitOf(query));
  const last = page.at(-1);
  return last !== undefined && found.length > page.length ? { page, NextToken: tokenOf(last) } : { page };
};

const limitOf = (query: URLSearchParams): number => {
  const most = Number(query.get('MaxResults') ?? 100);
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
  if (!position.success) throw new ServiceError('ValidationException', 'The NextToken is invalid.');
  return { group: position.data[0], name: position.data[1] };
};
