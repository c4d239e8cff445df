/**
 * Lets tasks run at once as long as what they hold together stays within `most`; the others wait in the order in which
 * they came. A task that alone would hold more runs alone.
 */
export const concurrencyLimiter = (
  most: number,
): (<Result>(holds: number, task: () => Promise<Result>) => Promise<Result>) => {
  let held = 0;
  const waiting: { readonly holds: number; readonly begin: () => void }[] = [];
  const admit = (): void => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (held > 0 && held + next.holds > most) return;
      held += next.holds;
      waiting.shift();
      next.begin();
    }
  };
  return async (holds, task) => {
    await new Promise<void>((begin) => {
      waiting.push({ holds, begin });
      admit();
    });
    try {
      return await task();
    } finally {
      held -= holds;
      admit();
    }
  };
};
