import * as z from 'zod';
import type { Timer } from '../../core/clock.ts';
import { asServiceError, ServiceError } from './json.ts';
import type { AwsRequest, AwsResponse, AwsService, Surroundings } from './service.ts';

const Schedule = z.strictObject({
  GroupName: z.string().default('default'),
  ScheduleExpression: z.string(),
  ScheduleExpressionTimezone: z.string().default('UTC'),
  FlexibleTimeWindow: z.object({
    Mode: z.enum(['OFF', 'FLEXIBLE']),
    MaximumWindowInMinutes: z.int().optional(),
  }),
  Target: z.strictObject({
    Arn: z.string(),
    RoleArn: z.string(),
    Input: z.string().optional(),
    RetryPolicy: z
      .object({ MaximumRetryAttempts: z.int().optional(), MaximumEventAgeInSeconds: z.int().optional() })
      .optional(),
    DeadLetterConfig: z.object({ Arn: z.string().optional() }).optional(),
  }),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  ActionAfterCompletion: z.enum(['NONE', 'DELETE']).default('NONE'),
  Description: z.string().optional(),
  ClientToken: z.string().optional(),
});
type Schedule = z.infer<typeof Schedule>;

const MOST_ATTEMPTS = 185;

/** The instant of `at(yyyy-mm-ddThh:mm:ss)`, the only expression that the hub uses, in UTC. */
const instantOf = ({ ScheduleExpression, ScheduleExpressionTimezone }: Schedule): number => {
  const text = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/u.exec(ScheduleExpression)?.[1];
  if (text === undefined || ScheduleExpressionTimezone !== 'UTC') {
    throw new ServiceError(
      'ValidationException',
      `Invalid Schedule Expression ${ScheduleExpression}. The local runtime takes at(yyyy-mm-ddThh:mm:ss) in UTC.`,
    );
  }
  return Date.parse(`${text}Z`);
};

const answer = (status: number, body: unknown): AwsResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** EventBridge Scheduler on one machine: one-time schedules that fire exactly on time. */
export const scheduler = ({ db, clock, region, account, deliver }: Surroundings): AwsService => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS scheduler_groups (name TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS scheduler_schedules (grp TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (grp, name)) STRICT;
    INSERT OR IGNORE INTO scheduler_groups (name) VALUES ('default');
  `);
  const timers = new Map<string, Timer>();
  const arnOf = (group: string, name: string): string =>
    `arn:aws:scheduler:${region}:${account}:schedule/${group}/${name}`;
  const find = (
    group: string,
    name: string,
  ): { schedule: Schedule; attempts: number; done: boolean; due: number } => {
    const row = db.prepare('SELECT * FROM scheduler_schedules WHERE grp = ? AND name = ?').get(group, name);
    if (row === undefined)
      throw new ServiceError('ResourceNotFoundException', `Schedule ${name} does not exist.`, 404);
    return {
      schedule: Schedule.parse(JSON.parse(String(row['definition']))),
      attempts: Number(row['attempts']),
      done: row['done'] === 1,
      due: Number(row['due']),
    };
  };
  const arm = (group: string, name: string, due: number): void => {
    timers.get(`${group}/${name}`)?.cancel();
    timers.set(
      `${group}/${name}`,
      clock.at(due, () => fire(group, name)),
    );
  };
  const finish = (group: string, name: string, schedule: Schedule): void => {
    timers.delete(`${group}/${name}`);
    if (schedule.ActionAfterCompletion === 'DELETE')
      db.prepare('DELETE FROM scheduler_schedules WHERE grp = ? AND name = ?').run(group, name);
    else db.prepare('UPDATE scheduler_schedules SET done = 1 WHERE grp = ? AND name = ?').run(group, name);
  };
  const fire = async (group: string, name: string): Promise<void> => {
    const { schedule, attempts } = find(group, name);
    if (schedule.State === 'DISABLED') return;
    const payload = schedule.Target.Input ?? '{}';
    const source = arnOf(group, name);
    try {
      await deliver({ arn: schedule.Target.Arn, payload, source, principal: 'scheduler.amazonaws.com' });
      finish(group, name, schedule);
    } catch (error) {
      if (attempts < (schedule.Target.RetryPolicy?.MaximumRetryAttempts ?? MOST_ATTEMPTS)) {
        db.prepare('UPDATE scheduler_schedules SET attempts = attempts + 1 WHERE grp = ? AND name = ?').run(
          group,
          name,
        );
        arm(group, name, clock.now() + Math.min(60_000, 1000 * 2 ** attempts));
        return;
      }
      finish(group, name, schedule);
      const dead = schedule.Target.DeadLetterConfig?.Arn;
      if (dead === undefined)
        throw new Error(`Schedule ${name} was lost after ${attempts} retries: it has no dead-letter queue.`, {
          cause: error,
        });
      await deliver({ arn: dead, payload, source, principal: 'scheduler.amazonaws.com' });
    }
  };

  const create = (name: string, body: unknown, replaces: boolean): AwsResponse => {
    const schedule = Schedule.parse(body);
    if (!db.prepare('SELECT 1 FROM scheduler_groups WHERE name = ?').get(schedule.GroupName)) {
      throw new ServiceError(
        'ResourceNotFoundException',
        `Schedule group ${schedule.GroupName} does not exist.`,
        404,
      );
    }
    if (!/^[0-9a-zA-Z-_.]{1,64}$/u.test(name))
      throw new ServiceError(
        'ValidationException',
        `Invalid schedule name ${name}: up to 64 letters, digits, -, _ and .`,
      );
    const due = instantOf(schedule);
    const present = db
      .prepare('SELECT definition FROM scheduler_schedules WHERE grp = ? AND name = ?')
      .get(schedule.GroupName, name);
    if (present && !replaces) {
      const same =
        schedule.ClientToken !== undefined &&
        Schedule.parse(JSON.parse(String(present['definition']))).ClientToken === schedule.ClientToken;
      if (!same) throw new ServiceError('ConflictException', `Schedule ${name} already exists.`, 409);
      return answer(200, { ScheduleArn: arnOf(schedule.GroupName, name) });
    }
    db.prepare(
      'INSERT OR REPLACE INTO scheduler_schedules (grp, name, definition, due) VALUES (?, ?, ?, ?)',
    ).run(schedule.GroupName, name, JSON.stringify(schedule), due);
    arm(schedule.GroupName, name, due);
    return answer(200, { ScheduleArn: arnOf(schedule.GroupName, name) });
  };

  const onSchedule = (request: AwsRequest, name: string, body: unknown): AwsResponse => {
    const group = new URLSearchParams(request.query).get('groupName') ?? 'default';
    if (request.method === 'POST' || request.method === 'PUT')
      return create(name, body, request.method === 'PUT');
    const { schedule } = find(group, name);
    if (request.method === 'GET') return answer(200, { Name: name, Arn: arnOf(group, name), ...schedule });
    timers.get(`${group}/${name}`)?.cancel();
    db.prepare('DELETE FROM scheduler_schedules WHERE grp = ? AND name = ?').run(group, name);
    return answer(200, {});
  };
  const onGroup = (request: AwsRequest, name: string): AwsResponse => {
    if (request.method === 'POST') {
      if (db.prepare('INSERT OR IGNORE INTO scheduler_groups (name) VALUES (?)').run(name).changes === 0)
        throw new ServiceError('ConflictException', `Schedule group ${name} already exists.`, 409);
    } else if (request.method === 'DELETE') {
      db.prepare('DELETE FROM scheduler_schedules WHERE grp = ?').run(name);
      db.prepare('DELETE FROM scheduler_groups WHERE name = ?').run(name);
    }
    return answer(200, {
      ScheduleGroupArn: `arn:aws:scheduler:${region}:${account}:schedule-group/${name}`,
      Name: name,
      State: 'ACTIVE',
    });
  };
  const list = (request: AwsRequest): AwsResponse => {
    const group = new URLSearchParams(request.query).get('ScheduleGroup');
    const rows = db
      .prepare(
        'SELECT grp, name FROM scheduler_schedules WHERE done = 0 AND (? IS NULL OR grp = ?) ORDER BY grp, name',
      )
      .all(group, group);
    return answer(200, {
      Schedules: rows.map((row) => ({
        Name: row['name'],
        GroupName: row['grp'],
        Arn: arnOf(String(row['grp']), String(row['name'])),
      })),
    });
  };

  for (const row of db.prepare('SELECT grp, name, due FROM scheduler_schedules WHERE done = 0').all())
    arm(String(row['grp']), String(row['name']), Number(row['due']));
  return {
    signingName: 'scheduler',
    operation(request) {
      const [, resource = '', name] = request.path.split('/');
      const verb =
        { GET: 'Get', POST: 'Create', PUT: 'Update', DELETE: 'Delete' }[request.method] ?? request.method;
      if (name === undefined) return resource === 'schedules' ? 'ListSchedules' : 'ListScheduleGroups';
      return `${verb}Schedule${resource === 'schedule-groups' ? 'Group' : ''}`;
    },
    async handle(request) {
      const [, resource = '', name] = request.path.split('/').map(decodeURIComponent);
      try {
        const text = Buffer.from(request.body).toString();
        if (resource === 'schedules')
          return name === undefined
            ? list(request)
            : onSchedule(request, name, text === '' ? {} : JSON.parse(text));
        if (resource === 'schedule-groups' && name !== undefined) return onGroup(request, name);
        throw new ServiceError(
          'UnknownOperationException',
          `The local scheduler does not know ${request.method} ${request.path}.`,
        );
      } catch (error) {
        const known = asServiceError(error);
        const response = answer(known.status, { Message: known.message });
        return { ...response, headers: { ...response.headers, 'x-amzn-errortype': known.type } };
      }
    },
  };
};
