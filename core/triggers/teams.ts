import type { HubConfig } from '../config/hub-config.ts';
import { nearestWord } from '../config/nearest.ts';
import type { PublishFault } from './publishable.ts';
import type { Trigger } from './trigger.ts';

/** The teams that a trigger names and hub.yaml does not have, or has without the office hours that the trigger waits for. */
export const teamFaults = (
  { id, send, until }: Pick<Trigger, 'id' | 'send' | 'until'>,
  { teams, hours }: Pick<HubConfig, 'teams' | 'hours'>,
): PublishFault[] => {
  const opening = typeof until === 'object' && 'open' in until ? until.open : undefined;
  return [
    ...unknownTeam(id, ['send', 'to', 'team'], send.to?.team, Object.keys(teams), 'teams'),
    ...unknownTeam(id, ['until', 'open'], opening, Object.keys(hours), 'hours'),
  ];
};

const unknownTeam = (
  trigger: string,
  path: readonly string[],
  team: string | undefined,
  known: readonly string[],
  key: string,
): PublishFault[] => {
  if (team === undefined || known.includes(team)) return [];
  const nearest = nearestWord(team, known);
  const hint =
    nearest === undefined
      ? `It has ${known.length === 0 ? 'none' : known.join(', ')}; add the team there.`
      : `Did you mean ${nearest}?`;
  return [
    {
      code: 'unknown-team',
      path,
      message: `The trigger ${trigger} names the team ${team}, which is not under \`${key}\` in hub.yaml. ${hint}`,
    },
  ];
};
