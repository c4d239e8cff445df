import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { HubError } from '../../core/errors.ts';

/**
 * Asks the questions one after another on the terminal without echoing the answers. Several answers may be pasted at once.
 * Throws `HubError` `user-abort` on Ctrl-C or Ctrl-D.
 */
export const askHidden = async (questions: readonly string[]): Promise<readonly string[]> => {
  const noEcho = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: noEcho, terminal: true });
  const lines = terminal[Symbol.asyncIterator]();
  const answers: string[] = [];
  try {
    for (const question of questions) {
      process.stderr.write(question);
      const line = await lines.next();
      process.stderr.write('\n');
      if (line.done === true)
        throw new HubError('user-abort', 'Interrupted; nothing was changed.', { retry: 'never' });
      answers.push(line.value.trim());
    }
  } finally {
    terminal.close();
  }
  return answers;
};

/** Asks one question on the terminal. Throws `HubError` `user-abort` on Ctrl-C or Ctrl-D. */
export const ask = async (question: string): Promise<string> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    terminal.setPrompt(question);
    terminal.prompt();
    const line = await terminal[Symbol.asyncIterator]().next();
    if (line.done === true)
      throw new HubError('user-abort', 'Interrupted; nothing was changed.', { retry: 'never' });
    return line.value.trim();
  } finally {
    terminal.close();
  }
};
