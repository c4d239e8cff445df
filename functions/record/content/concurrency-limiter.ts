/**
 * Runs tasks concurrently as long as the sum of what they hold is at most `most`; the others wait in their order. A task
 * that alone holds more runs alone.
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
