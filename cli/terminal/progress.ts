const BAR_WIDTH = 24;
/** How often a line is printed where stderr is not a terminal. */
const PLAIN_INTERVAL_MS = 5000;

/** A progress bar of a share from 0 to 1. */
export const progressBar = (share: number): string => {
  const filled = Math.floor(Math.min(Math.max(share, 0), 1) * BAR_WIDTH);
  return `[${'█'.repeat(filled).padEnd(BAR_WIDTH)}]`;
};

/** Shows progress on stderr: on a terminal one line that is overwritten, elsewhere a line every few seconds. */
export const progressLine = (): { show(line: string): void; end(line: string): void } => {
  const { stderr } = process;
  const shown = { at: performance.now(), line: '' };
  return {
    show(line) {
      if (line === shown.line) return;
      if (stderr.isTTY) stderr.write(`\r\u001b[K${line}`);
      else if (performance.now() - shown.at < PLAIN_INTERVAL_MS) return;
      else stderr.write(`${line}\n`);
      Object.assign(shown, { at: performance.now(), line });
    },
    end(line) {
      stderr.write(stderr.isTTY ? `\r\u001b[K${line}\n` : `${line}\n`);
    },
  };
};
