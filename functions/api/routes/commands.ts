import * as z from 'zod';
import { CommandMessage } from '../../contracts/messages/record.ts';
import { problem } from '../../middleware/http.ts';
import { type CheckPorts, refusalOf } from './check-command.ts';
import { json, jsonBody, pathParameter, type Routes } from './route.ts';

export interface CommandPorts extends CheckPorts {
  readonly enqueue: (command: CommandMessage) => Promise<void>;
  readonly now: () => number;
  readonly newId: () => string;
}

/** A command with a later time would win over every answer that is given until then. */
const CLOCK_SKEW_MS = 60_000;

/** Commands about customers, and their outcomes. */
export const commandRoutes: Routes<CommandPorts> = {
  'POST /commands': async (event, ports) => {
    const body = jsonBody(event);
    if (typeof body !== 'object' || body === null)
      return problem(400, 'invalid-json', 'The body must be a JSON object.');
    const command = CommandMessage.safeParse({
      by: 'api',
      id: ports.newId(),
      at: new Date(ports.now()).toISOString(),
      ...body,
      type: 'command',
    });
    if (!command.success) return problem(400, 'invalid-command', z.prettifyError(command.error));
    if (Date.parse(command.data.at) > ports.now() + CLOCK_SKEW_MS)
      return problem(
        400,
        'future-time',
        '`at` lies in the future. Give the time at which it was decided, or leave it out.',
      );
    const refusal = await refusalOf(command.data, ports);
    if (refusal !== undefined) return refusal;
    await ports.enqueue(command.data);
    return json(202, { id: command.data.id });
  },
  'GET /commands/{id}': async (event, ports) => {
    const id = pathParameter(event, 'id');
    return json(200, { id, ...(await ports.outcome(id)) });
  },
};
