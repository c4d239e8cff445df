/** Many event patterns that are matched at once. */
export interface PatternIndex<Value> {
  /** @throws Error that says why the pattern is invalid. */
  add(id: string, pattern: unknown, value: Value): void;
  match(event: object): Value[];
}

/**
 * The event pattern language of EventBridge rules and SNS filter policies. A pattern is a parsed JSON document.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
 */
export interface EventPatterns {
  /** @throws Error that says why the pattern is invalid. */
  validate(pattern: unknown): void;
  matches(pattern: unknown, event: object): boolean;
  usesWildcard(pattern: unknown): boolean;
  index<Value>(): PatternIndex<Value>;
}
