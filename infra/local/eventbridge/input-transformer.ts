import { ServiceError } from '../protocol/json.ts';
import type { Target } from './store.ts';

interface RuleContext {
  readonly ruleArn: string;
  readonly ruleName: string;
  readonly ingestionTime: string;
}

type Transformer = NonNullable<Target['InputTransformer']>;

const RESERVED = [
  'aws.events.rule-arn',
  'aws.events.rule-name',
  'aws.events.event.ingestion-time',
  'aws.events.event',
  'aws.events.event.json',
];
const PLACEHOLDER = /^<([A-Za-z0-9_.-]+)>/u;
const PATH = /^\$(?:\.[^.[\]*]+|\[\d+\]|\['[^']+'\]|\.\*|\[\*\])*$/u;
const MOST_PATHS = 100;

/** @throws ServiceError `ValidationException` where EventBridge refuses the transformer. */
export const expectValidTransformer = (
  { InputPathsMap: paths = {}, InputTemplate }: Transformer,
  id: string,
): void => {
  const refuse = (reason: string): never => {
    throw new ServiceError('ValidationException', `Invalid InputTransformer for target ${id} : ${reason}.`);
  };
  if (Object.keys(paths).length > MOST_PATHS) refuse(`[more than ${MOST_PATHS} paths]`);
  for (const [name, path] of Object.entries(paths)) {
    if (name.toUpperCase().startsWith('AWS')) refuse(`[the name ${name} begins with AWS]`);
    if (!PATH.test(path)) refuse(`[the path ${path} is not valid]`);
  }
  for (const [, name = ''] of InputTemplate.matchAll(/<([A-Za-z0-9_.-]+)>/gu))
    if (paths[name] === undefined && !RESERVED.includes(name))
      refuse(`[the template uses ${name}, which the input paths do not name]`);
};

/** The input of a target: the event, a part of it, a constant, or a template fillTemplate from it. */
export const inputFor = (
  target: Pick<Target, 'Input' | 'InputPath' | 'InputTransformer'>,
  event: object,
  context: RuleContext,
): string => {
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined) return JSON.stringify(valueAt(event, target.InputPath) ?? null);
  if (target.InputTransformer === undefined) return JSON.stringify(event);
  const { InputPathsMap: paths = {}, InputTemplate: template } = target.InputTransformer;
  const reserved: Readonly<Record<string, unknown>> = {
    'aws.events.rule-arn': context.ruleArn,
    'aws.events.rule-name': context.ruleName,
    'aws.events.event.ingestion-time': context.ingestionTime,
    'aws.events.event': { ...event, detail: undefined },
    'aws.events.event.json': event,
  };
  return fillTemplate(template, (name) => {
    if (Object.hasOwn(reserved, name)) return reserved[name];
    const path = paths[name];
    return path === undefined ? undefined : valueAt(event, path);
  });
};

/**
 * Fills a template. Inside a JSON string a value is inserted as text, elsewhere as JSON; a value that the event lacks is
 * empty or null.
 */
const fillTemplate = (template: string, lookUp: (name: string) => unknown): string => {
  let quoted = false;
  let result = '';
  for (let at = 0; at < template.length; at++) {
    const character = template.charAt(at);
    const placeholder = character === '<' ? PLACEHOLDER.exec(template.slice(at)) : null;
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

/** The value at a JSON path of EventBridge: `$.a.b`, `$.list[0].c`, `$['detail-type']`, and `[*]` for every element. */
const valueAt = (event: unknown, path: string): unknown => {
  const steps = [...path.matchAll(/\.([^.[\]]+)|\[(\d+)\]|\['([^']+)'\]|(\[\*\])/gu)].map(
    ([, name, index, quoted, every]) =>
      every !== undefined || name === '*' ? undefined : (name ?? quoted ?? Number(index)),
  );
  const walk = (value: unknown, [step, ...rest]: readonly (string | number | undefined)[]): unknown => {
    if (step === undefined) {
      if (typeof value !== 'object' || value === null) return undefined;
      const all = Object.values(value);
      return rest.length === 0 ? all : all.map((one) => walk(one, rest)).filter((one) => one !== undefined);
    }
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    const next: unknown = Reflect.get(value, step);
    return rest.length === 0 ? next : walk(next, rest);
  };
  return steps.length === 0 ? event : walk(event, steps);
};
