import { parsePattern, patternIndex } from '../../../core/triggers/pattern/index.ts';

const index = (size: number) => {
  const all = patternIndex<number>();
  for (let at = 0; at < size; at++) {
    all.add(
      String(at),
      parsePattern({
        detail: {
          kind: ['message'],
          channel: [`channel-${at}`],
          properties: { total: [{ numeric: ['>', at] }] },
        },
      }),
      at,
    );
  }
  return all;
};

/** The time per event against 10,000 patterns, over that against 10. */
export const benchPattern = (): number => {
  const event = { detail: { kind: 'message', channel: 'channel-7', properties: { total: 20 } } };
  const time = (size: number): number => {
    const all = index(size);
    const runs = Array.from({ length: 7 }, () => {
      const began = process.hrtime.bigint();
      for (let at = 0; at < 20_000; at++)
        if (all.match(event).length !== 1) throw new Error('The event should match one pattern.');
      return Number(process.hrtime.bigint() - began);
    });
    return Math.min(...runs);
  };
  return time(10_000) / time(10);
};
