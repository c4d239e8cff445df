const WIDTH = 24;
/** Without a terminal a line is told no more often than this. */
const SELDOM_MS = 5000;

/** A bar of a share from 0 to 1. */
export const bar = (share: number): string => {
  const filled = Math.floor(Math.min(Math.max(share, 0), 1) * WIDTH);
  return `[${'█'.repeat(filled).padEnd(WIDTH)}]`;
};

/** One line on stderr that is written over at a terminal; a few plain lines anywhere else. */
export const progress = (): { show(line: string): void; end(line: string): void } => {
  const { stderr } = process;
  const told = { at: performance.now(), line: '' };
  return {
    show(line) {
      if (line === told.line) return;
      if (stderr.isTTY) stderr.write(`\r\u001b[K${line}`);
      else if (performance.now() - told.at < SELDOM_MS) return;
      else stderr.write(`${line}\n`);
      Object.assign(told, { at: performance.now(), line });
    },
    end(line) {
      stderr.write(stderr.isTTY ? `\r\u001b[K${line}\n` : `${line}\n`);
    },
  };
};
