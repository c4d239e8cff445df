import type { HubConfig } from '../../config/hub-config.ts';
import { nearestWord } from '../../config/nearest.ts';
import { allSteps } from '../series/nesting.ts';
import { sendsOf } from '../series/steps.ts';
import type { Trigger } from '../trigger.ts';
import type { PublishFault } from './fault.ts';

/** The teams that a trigger names and hub.yaml does not have, or has without the office hours that the trigger waits for. */
export const teamFaults = (
  trigger: Pick<Trigger, 'id' | 'send' | 'steps' | 'until'>,
  { teams, hours }: Pick<HubConfig, 'teams' | 'hours'>,
): PublishFault[] => {
  const { id, until, steps = [] } = trigger;
  const [to, open] =
    steps.length === 0
      ? [
          ['send', 'to', 'team'],
          ['until', 'open'],
        ]
      : [['steps'], ['steps']];
  const opening = [until, ...allSteps(steps).map((step) => step.until)].flatMap((one) =>
    typeof one === 'object' && 'open' in one ? one.open : [],
  );
  return [
    ...sendsOf(trigger).flatMap((send) => unknownTeam(id, to, send.to?.team, Object.keys(teams), 'teams')),
    ...opening.flatMap((team) => unknownTeam(id, open, team, Object.keys(hours), 'hours')),
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
