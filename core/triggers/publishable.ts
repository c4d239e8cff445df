import { rulePattern, type Trigger } from './trigger.ts';

/** The most characters of an event pattern. */
const PATTERN_LIMIT = 2048;

/** Why a valid trigger cannot be published. `path`: of the key in its file. */
export interface PublishFault {
  readonly code: 'oversized-pattern' | 'missing-template' | 'unknown-team';
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The templates that a trigger names. */
export const templatesOf = ({ send }: Trigger): string[] => [
  send.template,
  ...send.variants.map(({ template }) => template),
];

/** What a deploy and publishing refuse of a trigger besides its schema; empty where it can be published. */
export const publishFaults = (
  trigger: Trigger,
  templates: Readonly<Record<string, unknown>>,
): PublishFault[] => {
  const { length } = JSON.stringify(rulePattern(trigger));
  const missing = templatesOf(trigger).filter((id) => templates[id] === undefined);
  return [
    ...(length > PATTERN_LIMIT
      ? [
          {
            code: 'oversized-pattern' as const,
            path: ['on'],
            message: `The pattern of ${trigger.id} has ${length} characters; EventBridge takes ${PATTERN_LIMIT}. Say less in \`on\` and more in \`where\`.`,
          },
        ]
      : []),
    ...(missing.length > 0
      ? [
          {
            code: 'missing-template' as const,
            path: ['send'],
            message: `The trigger ${trigger.id} names the template ${missing.join(', ')}, which is not in mappings/templates.`,
          },
        ]
      : []),
  ];
};
