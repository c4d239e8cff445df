import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { HubError } from '../../core/errors.ts';

/**
 * Asks at the terminal, one question after the other; what is typed is not shown. Several answers may be pasted at once.
 * Throws `HubError` `given-up` where the person ends it with Ctrl-C or Ctrl-D.
 */
export const askHidden = async (questions: readonly string[]): Promise<readonly string[]> => {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const lines = terminal[Symbol.asyncIterator]();
  const answers: string[] = [];
  try {
    for (const question of questions) {
      process.stderr.write(question);
      const line = await lines.next();
      process.stderr.write('\n');
      if (line.done === true)
        throw new HubError('given-up', 'Given up; nothing was changed.', { retry: 'never' });
      answers.push(line.value.trim());
    }
  } finally {
    terminal.close();
  }
  return answers;
};
