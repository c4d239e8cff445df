// https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/batch-api.html

/** What most instances write in the thirty seconds after which ServiceNow ends a batch. */
const FIRST = 250;
/** More would save little, and what a lost answer leaves in doubt would be more. */
const MOST = 1000;
/** A batch that takes a third of the time leaves room for one of twice the size. */
const QUICK_MS = 10_000;

/** How many requests a batch holds: as many as the instance lately showed that it writes in the time of a batch. */
export interface BatchSize {
  readonly current: () => number;
  /** `serviced` of `sent` requests were done in some milliseconds, undefined where nobody measured them. */
  readonly observe: (batch: {
    readonly sent: number;
    readonly serviced: number;
    readonly milliseconds: number | undefined;
  }) => void;
}

/** A full batch that was quick doubles the next ones; one that was cut short makes them as small as what was done of it. */
export const batchSize = (): BatchSize => {
  let size = FIRST;
  return {
    current: () => size,
    observe({ sent, serviced, milliseconds }) {
      if (serviced < sent) size = Math.max(1, Math.min(size, serviced));
      else if (sent >= size && milliseconds !== undefined && milliseconds <= QUICK_MS)
        size = Math.min(MOST, size * 2);
    },
  };
};
