import type { Target } from './events.ts';

interface RuleContext {
  readonly ruleArn: string;
  readonly ruleName: string;
  readonly ingestionTime: string;
}

/** What a target receives for an event: the event, a part of it, a constant, or a template filled from it. */
export const inputFor = (
  target: Pick<Target, 'Input' | 'InputPath' | 'InputTransformer'>,
  event: object,
  context: RuleContext,
): string => {
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined) return JSON.stringify(at(event, target.InputPath) ?? null);
  if (target.InputTransformer === undefined) return JSON.stringify(event);
  const { InputPathsMap: paths = {}, InputTemplate: template } = target.InputTransformer;
  const reserved: Readonly<Record<string, unknown>> = {
    'aws.events.rule-arn': context.ruleArn,
    'aws.events.rule-name': context.ruleName,
    'aws.events.event.ingestion-time': context.ingestionTime,
    'aws.events.event': { ...event, detail: undefined },
    'aws.events.event.json': event,
  };
  const lookUp = (name: string): unknown =>
    name in reserved ? reserved[name] : at(event, paths[name] ?? '$.');
  return filled(template, lookUp);
};

/** Inside a JSON string a value is written as text, elsewhere as JSON; what the event does not have is empty or null. */
const filled = (template: string, lookUp: (name: string) => unknown): string => {
  let quoted = false;
  let result = '';
  for (let at = 0; at < template.length; at++) {
    const character = template.charAt(at);
    const placeholder = character === '<' ? /^<([A-Za-z][\w.-]*)>/u.exec(template.slice(at)) : null;
    if (placeholder) {
      const value = lookUp(placeholder[1] ?? '');
      result += quoted ? asText(value) : (JSON.stringify(value) ?? 'null');
      at += placeholder[0].length - 1;
      continue;
    }
    if (character === '\\' && quoted) {
      result += character + template.charAt(++at);
      continue;
    }
    if (character === '"') quoted = !quoted;
    result += character;
  }
  return result;
};

const asText = (value: unknown): string => {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return JSON.stringify(text).slice(1, -1);
};

/** The simple JSON paths that EventBridge takes: `$.a.b`, `$.list[0].c`. */
const at = (event: unknown, path: string): unknown => {
  let value: unknown = event;
  for (const [, name, index] of path.matchAll(/\.([^.[\]]+)|\[(\d+)\]/gu)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, name ?? Number(index));
  }
  return path === '$.' ? undefined : value;
};
