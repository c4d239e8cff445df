import { CrmFault, type Scope, type Why } from '../../../core/crm/fault.ts';
import type { HttpRule, HttpSection } from '../../../core/crm/mapping/http.ts';
import { matches, type Pattern, parsePattern } from '../../../core/triggers/pattern/index.ts';
import { listOf, placeOf } from './templates.ts';

/** An answer as the patterns and the places of a mapping see it. */
export interface Answer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; else the text. */
  readonly body: unknown;
  /** The answer for one record of a batch. */
  readonly row?: unknown;
}

/** What a request is about; a request without a record is about its object. */
export interface About {
  readonly object?: string | undefined;
  /** Whether the request names one record by the CRM's id. */
  readonly isOfRecord?: boolean;
}

/** Judges answers by the rules of a mapping: undefined where the CRM did what was asked. */
export type Judge = (answer: Answer, about: About, success?: object) => CrmFault | undefined;

/** The rules of a mapping, ready to use. `crm`: its id; `title`: how people call it. */
export const judge = (
  { crm, title }: { readonly crm: string; readonly title: string },
  { errors, success }: Pick<HttpSection, 'errors' | 'success'>,
): Judge => {
  const rules = errors.map((rule, position) => ({ rule, position, pattern: parsePattern(rule.when) }));
  const patterns = new Map<object, Pattern>();
  const isMatch = (pattern: object, answer: Answer): boolean => {
    const parsed = patterns.get(pattern) ?? parsePattern(pattern);
    patterns.set(pattern, parsed);
    return matches(parsed, answer);
  };
  return (answer, about, wanted = success) => {
    const found = rules.find(({ pattern }) => matches(pattern, answer));
    if (found !== undefined) {
      const { rule, position } = found;
      const by = rule.says ?? `rule ${position + 1} of http.errors in mappings/crm/${crm}.yaml`;
      return faultOf(title, about, answer, { ...rule, by, records: namedIn(rule, answer) });
    }
    if (isMatch(wanted, answer)) return undefined;
    const { scope, why, by } = byStatus(answer, about);
    return faultOf(title, about, answer, { scope, why, by, records: [] });
  };
};

const namedIn = ({ records }: HttpRule, answer: Answer): string[] =>
  records === undefined ? [] : listOf(placeOf(records, { ...answer })).map(String);

interface Verdict {
  readonly scope: Scope;
  readonly why: Why;
  /** Why it was judged so. */
  readonly by: string;
}

const faultOf = (
  title: string,
  { object }: About,
  answer: Answer,
  {
    scope,
    why,
    by,
    records,
    field,
    after,
  }: Verdict & Pick<HttpRule, 'field' | 'after'> & { readonly records: readonly string[] },
): CrmFault => {
  const what = object === undefined ? 'a request' : scope === 'record' ? `a record of ${object}` : object;
  const named = field === undefined ? undefined : placeOf(field, { ...answer });
  const waits = why === 'throttled' || why === 'down' || why === 'raced';
  return new CrmFault(`http-${why}`, `${title} refused ${what} with status ${answer.status}: ${by}.`, {
    ...{ scope, why, records, object },
    field: typeof named === 'string' ? named : undefined,
    afterSeconds: waits ? secondsIn(after, answer) : undefined,
  });
};

const MOST_SECONDS = 86_400;

/** How long the CRM asks to wait: the place that the rule names, or the header Retry-After, in seconds or as a date. */
const secondsIn = (place: string | undefined, answer: Answer): number | undefined => {
  const { headers } = answer;
  const value = place === undefined ? headers['retry-after'] : placeOf(place, { ...answer });
  if (value === undefined || value === null || value === '') return undefined;
  const now = Date.parse(headers['date'] ?? '');
  const seconds = Number.isNaN(Number(value)) ? (Date.parse(String(value)) - now) / 1000 : Number(value);
  return Number.isFinite(seconds) ? Math.min(MOST_SECONDS, Math.max(1, Math.ceil(seconds))) : undefined;
};

/** What an answer means that no rule names (docs/crm/http-crm.md lists it). */
const byStatus = ({ status }: Answer, { isOfRecord = false }: About): Verdict => {
  if (status < 300)
    return {
      scope: 'connection',
      why: 'down',
      by: 'the answer is neither a success nor an error by the rules of the mapping',
    };
  if (status < 400)
    return {
      scope: 'connection',
      why: 'setup',
      by: 'it redirects, which the hub does not follow; correct host or path',
    };
  if (status === 401) return { scope: 'connection', why: 'setup', by: 'the credentials are not accepted' };
  if (status === 403) return { scope: 'object', why: 'setup', by: 'the user of the hub may not do this' };
  if ((status === 404 || status === 410) && isOfRecord)
    return { scope: 'record', why: 'gone', by: 'the record is not there' };
  if (status === 404 || status === 405 || status === 410)
    return { scope: 'object', why: 'setup', by: 'the path does not exist' };
  if (status === 429) return { scope: 'connection', why: 'throttled', by: 'too many requests' };
  if (status === 409 || status === 412 || status === 423)
    return { scope: 'record', why: 'raced', by: 'somebody else writes it' };
  if (status === 408 || status === 425 || status >= 500)
    return { scope: 'connection', why: 'down', by: 'it does not work now' };
  return { scope: 'record', why: 'invalid', by: 'it does not accept what was sent' };
};
