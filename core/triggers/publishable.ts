import { HubError } from '../errors.ts';
import { parsePattern } from './pattern/index.ts';
import { templatesOfSteps } from './series/steps.ts';
import { rulePattern, type Trigger } from './trigger.ts';

/** The most characters of an event pattern. */
const PATTERN_LIMIT = 2048;

/** Why a valid trigger cannot be published. `path`: of the key in its file. */
export interface PublishFault {
  readonly code: 'oversized-pattern' | 'invalid-pattern' | 'missing-template';
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The templates that a trigger names. */
export const templatesOf = ({ send, steps = [] }: Trigger): string[] => [
  ...new Set(templatesOfSteps(send === undefined ? steps : [{ send }])),
];

/** What a deploy and publishing refuse of a trigger besides its schema; empty where it can be published. */
export const publishFaults = (
  trigger: Trigger,
  templates: Readonly<Record<string, unknown>>,
): PublishFault[] => {
  const { length } = JSON.stringify(rulePattern(trigger));
  const refusal = refusalOf(trigger);
  const missing = templatesOf(trigger).filter((id) => templates[id] === undefined);
  return [
    ...(length > PATTERN_LIMIT
      ? [
          {
            code: 'oversized-pattern' as const,
            path: ['on'],
            message: `The pattern of ${trigger.id} has ${length} characters; EventBridge takes ${PATTERN_LIMIT}. Say less in \`on\`${trigger.steps === undefined ? '' : ' and `await`'} and more in \`where\`.`,
          },
        ]
      : []),
    ...(refusal === undefined
      ? []
      : [{ code: 'invalid-pattern' as const, path: ['steps'], message: refusal }]),
    ...(missing.length > 0
      ? [
          {
            code: 'missing-template' as const,
            path: [trigger.send === undefined ? 'steps' : 'send'],
            message: `The trigger ${trigger.id} names the template ${missing.join(', ')}, which is not in mappings/templates.`,
          },
        ]
      : []),
  ];
};

/** Why EventBridge would refuse the one pattern of what sets a series off and what it awaits; each alone is valid. */
const refusalOf = (trigger: Trigger): string | undefined => {
  try {
    parsePattern(rulePattern(trigger));
    return undefined;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    return `The trigger ${trigger.id} cannot await what it awaits beside its \`on\`: ${error.message}`;
  }
};
