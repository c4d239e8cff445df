import { expect, it } from 'vitest';
import { HubConfig, hubConfigFor } from '../../../../core/config/hub-config.ts';
import { teamFaults } from '../../../../core/triggers/publishing/teams.ts';
import { trigger } from '../../../support/triggers/situations.ts';

const hub = HubConfig.parse({
  teams: { desk: { email: ['desk@acme.example'] } },
  hours: { desk: { days: 'mon-wed, sat', from: '09:00', to: '18:00' } },
});

it.each([
  ['to', { send: { to: { team: 'desc' }, template: 't' } }, ['send', 'to', 'team'], 'Did you mean desk?'],
  ['until', { until: { open: 'kitchen' } }, ['until', 'open'], 'It has desk; add the team there.'],
])('a team that hub.yaml does not have is named where it is written: %s', (_, fields, path, hint) => {
  expect(teamFaults(trigger(fields), hub)).toMatchObject([
    { code: 'unknown-team', path, message: expect.stringContaining(hint) },
  ]);
});

it('takes the teams that hub.yaml has', () => {
  expect(teamFaults(trigger({ send: { to: { team: 'desk' }, template: 't' } }), hub)).toEqual([]);
  expect(teamFaults(trigger({ until: { open: 'desk' } }), hub)).toEqual([]);
  expect(hub.hours['desk']?.days).toEqual([1, 2, 3, 6]);
});

it.each([
  ['days: mon-fry, from: "09:00", to: "18:00"', { days: 'mon-fry', from: '09:00', to: '18:00' }],
  ['a day that ends before it begins', { days: 'mon', from: '18:00', to: '09:00' }],
  ['a date that is none', { days: 'mon', from: '09:00', to: '18:00', closed: ['Christmas'] }],
])('refuses %s', (_, hours) => {
  expect(HubConfig.safeParse({ hours: { sales: hours } }).success).toBe(false);
});

it('checks the teams of office hours where they are written; those of the shipped file ask for nothing', () => {
  const read = (config: object) =>
    hubConfigFor({ channels: [], crms: [], senders: ['ses'] }).safeParse(config);
  const plain = { channels: {}, crms: {}, senders: { email: 'ses' } };
  const hours = { days: 'mon-fri', from: '09:00', to: '18:00' };
  const { error } = read({ ...plain, hours: { salse: hours } });
  expect(error?.issues).toMatchObject([
    { path: ['hours', 'salse'], message: 'unknown "salse"; did you mean sales?' },
  ]);
  expect(read({ ...plain, teams: { desk: {} } }).success).toBe(true);
});
