const compiled = new Map<string, RegExp>();

/** Matches a pattern with `*` for any text and `?` for one character. */
export const wildcardMatches = (pattern: string, text: string): boolean => {
  let known = compiled.get(pattern);
  if (known === undefined) {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/gu, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    known = new RegExp(`^${source}$`, 'su');
    compiled.set(pattern, known);
  }
  return known.test(text);
};

/** Matches an action; case is ignored. */
export const actionMatches = (pattern: string, action: string): boolean =>
  wildcardMatches(pattern.toLowerCase(), action.toLowerCase());

/** Matches an ARN part by part: a wildcard does not match across the first five colons. */
export const arnMatches = (pattern: string, arn: string): boolean => {
  const [patterns, parts] = [partsOf(pattern), partsOf(arn)];
  return (
    patterns.length === parts.length && patterns.every((one, at) => wildcardMatches(one, parts[at] ?? ''))
  );
};

const partsOf = (arn: string): string[] => {
  const parts = arn.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
};
