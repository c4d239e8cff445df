import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { CommandOutcome } from '../../functions/aws/operations/command-outcomes.ts';
import { call } from './call.ts';

const POLL_MS = 200;
const LONGEST_MS = 20_000;

/** Gives a running hub a command and prints what became of it. Resolves to the exit code; throws why it was refused. */
export const give = async (command: object): Promise<number> => {
  const { id } = z.object({ id: z.string() }).parse(await call('POST', '/commands', command));
  for (let waited = 0; waited < LONGEST_MS; waited += POLL_MS) {
    const outcome = CommandOutcome.parse(await call('GET', `/commands/${encodeURIComponent(id)}`));
    if (outcome.status === 'refused') throw new HubError(outcome.code, outcome.reason, { retry: 'never' });
    if (outcome.status === 'done') {
      const { customers } = outcome;
      console.log(customers.length === 0 ? 'Done.' : `Done: ${customers.join(', ')}`);
      return 0;
    }
    await pause(POLL_MS);
  }
  console.log(
    `Accepted as ${id}, and still in the queue. It will be done when the queue delivers it; what cannot be done is listed by \`hub failures list\`.`,
  );
  return 0;
};
