const compiled = new Map<string, RegExp>();

/** `*` stands for any text and `?` for one character; everything else for itself. */
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

/** Actions are the same in any case. */
export const actionMatches = (pattern: string, action: string): boolean =>
  wildcardMatches(pattern.toLowerCase(), action.toLowerCase());

/** An ARN has six parts, of which the last may hold colons itself; a wildcard does not reach beyond its part. */
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
