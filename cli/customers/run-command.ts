import { setTimeout as delay } from 'node:timers/promises';
import { HubError } from '../../core/errors.ts';
import { type Command, getCommandOutcome, sendCommand } from '../client/commands.ts';
import { hubOfEnvironment } from '../client/environment.ts';

const POLL_MS = 200;
const TIMEOUT_MS = 20_000;

/** Sends a command, waits until it is done and prints its outcome. Returns the exit code; throws the refusal of the hub. */
export const runCommand = async (command: Command): Promise<number> => {
  const hub = hubOfEnvironment();
  const { id } = await sendCommand(hub, command);
  for (let waited = 0; waited < TIMEOUT_MS; waited += POLL_MS) {
    const outcome = await getCommandOutcome(hub, id);
    if (outcome.status === 'refused')
      throw new HubError('command-refusal', outcome.reason, { retry: 'never' });
    if (outcome.status === 'done') {
      const { customers } = outcome;
      console.log(customers.length === 0 ? 'Done.' : `Done: ${customers.join(', ')}`);
      return 0;
    }
    await delay(POLL_MS);
  }
  console.log(
    `Accepted as ${id}, but still in the queue. It runs when the queue delivers it; \`hub failures list\` shows it if it fails.`,
  );
  return 0;
};
