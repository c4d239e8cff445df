/** Whether the logs of the functions are printed: on `HUB_LOG=1`, and on `HUB_TRACE=1`, which adds a line per message. */
export const isPrintingLogs = (): boolean =>
  process.env['HUB_LOG'] !== undefined || process.env['HUB_TRACE'] === '1';
