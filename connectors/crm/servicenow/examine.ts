import { clockFinding } from '../../../core/crm/check/clock.ts';
import type { Call, Finding } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { answersTo, type Outcome } from './rest/batch.ts';
import type { Client } from './rest/session.ts';
import { get, pathOf, type Row, rowsIn } from './rest/table.ts';

const PROPERTIES = 'sys_properties';
const DELETIONS = 'sys_audit_delete';

/** Reads who the hub is, its roles, the release, the rate limit and the clock of the instance: two requests. */
export const examine = async (
  client: Client,
  username: string | undefined,
  call: Call,
): Promise<readonly Finding[]> => {
  const me = username === undefined ? 'javascript:gs.getUserID()' : username;
  const userField = username === undefined ? 'sys_id' : 'user_name';
  const outcomes = await answersTo(
    client,
    [
      get({
        ...{ table: 'sys_user', query: `${userField}=${me}`, fields: ['user_name', 'time_zone'] },
      }),
      get({
        table: 'sys_user_has_role',
        query: `user${username === undefined ? '' : '.user_name'}=${me}`,
        fields: ['role.name', 'user.user_name'],
      }),
      get({ table: PROPERTIES, query: 'name=glide.buildtag', fields: ['name', 'value'] }),
      get({ table: DELETIONS, query: '', fields: ['sys_id'] }, 1),
    ],
    call,
  );
  const [users, roles, properties] = outcomes.slice(0, 3).map(shownRows);
  const { headers } = await client.request(
    { method: 'GET', table: 'sys_user', path: `${pathOf('sys_user')}?sysparm_limit=1&sysparm_fields=sys_id` },
    call,
  );
  const user = users?.length === 1 ? users[0] : undefined;
  return [
    ...userFindings(user, username),
    ...roleFinding(user, roles ?? []),
    releaseFinding(properties?.find(({ name }) => name === 'glide.buildtag')),
    deletionsFinding(outcomes[3]),
    limitFinding(headers),
    ...clockFinding('ServiceNow', headers['date'], call.now?.()),
  ];
};

/** What the hub may not read is not there for it; a fault of the connection ends the check. */
const shownRows = (outcome: Outcome): readonly Row[] => {
  if (!(outcome instanceof CrmFault)) return rowsIn(outcome);
  if (outcome.scope === 'connection') throw outcome;
  return [];
};

const userFindings = (user: Row | undefined, username: string | undefined): Finding[] => {
  const name = user?.['user_name'] ?? username;
  const zone = user?.['time_zone'] ?? '';
  const isUniversal = zone === '' || /^(?:GMT|UTC|Etc\/(?:GMT|UTC)|Zulu)$/u.test(zone);
  return [
    {
      about: 'user',
      says:
        name === undefined
          ? 'ServiceNow does not tell who the hub is, so that all of its contacts count as typed by visitors. Let the user of the hub read its own record in sys_user.'
          : `The hub is ${name}.`,
      ok: true,
    },
    {
      about: 'time zone',
      says: isUniversal
        ? 'Times in queries are read in GMT, or in the time zone of the instance if the user of the hub has none.'
        : `ServiceNow reads the times in queries of the hub's user in ${zone}. Set the time zone of the user to GMT, or lists of changed records leave some out.`,
      ok: isUniversal,
    },
  ];
};

const roleFinding = (user: Row | undefined, rows: readonly Row[]): Finding[] => {
  const own = rows.filter((row) => user !== undefined && row['user.user_name'] === user['user_name']);
  const names = [...new Set(own.flatMap((row) => row['role.name'] || []))].toSorted();
  return names.length === 0 ? [] : [{ about: 'roles', says: `Its roles: ${names.join(', ')}.`, ok: true }];
};

const releaseFinding = (property: Row | undefined): Finding => ({
  about: 'version',
  says: property?.['value']
    ? `The instance has the build ${property['value']}. The hub uses the Table API and the Batch API, which every release has.`
    : 'The hub uses the Table API and the Batch API, which every release has.',
  ok: true,
});

/** Without it the sync works, but a deletion is only noticed when the record is written again. */
const deletionsFinding = (outcome: Outcome | undefined): Finding => {
  if (outcome instanceof CrmFault && outcome.scope === 'connection') throw outcome;
  return {
    about: 'deletions',
    says:
      outcome instanceof CrmFault
        ? `The hub may not read ${DELETIONS}, so it learns that an agent deleted a contact only when it writes to it again. Give its user a role with an access control that reads this table (System Security, Access Control (ACL), New: record, read, ${DELETIONS}).`
        : `The hub reads what agents delete, in ${DELETIONS}.`,
    ok: true,
  };
};

const limitFinding = (headers: Readonly<Record<string, string>>): Finding => {
  const limit = headers['x-ratelimit-limit'];
  return {
    about: 'rate limit',
    says:
      limit === undefined
        ? 'No rate limit rule of the instance concerns the hub.'
        : `A rate limit rule allows the hub ${limit} requests an hour. Leave it room for a day of catching up.`,
    ok: true,
  };
};
