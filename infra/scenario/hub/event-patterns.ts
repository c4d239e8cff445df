import { matches, parsePattern, patternIndex, usesWildcard } from '../../../core/triggers/pattern/index.ts';
import type { EventPatterns, PatternIndex } from '../../local/eventbridge/pattern.ts';

/** The event pattern language of triggers, which the local EventBridge and SNS match with too. */
export const eventPatterns: EventPatterns = {
  validate(pattern) {
    parsePattern(pattern);
  },
  matches: (pattern, event) => matches(parsePattern(pattern), event),
  usesWildcard,
  index<Value>(): PatternIndex<Value> {
    const index = patternIndex<Value>();
    return {
      add: (id, pattern, value) => index.add(id, parsePattern(pattern), value),
      match: (event) => index.match(event),
    };
  },
};
