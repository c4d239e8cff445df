/** The pauses between attempts, without waiting. */
export const noPause = { random: () => 0.5, sleep: async () => {} };
