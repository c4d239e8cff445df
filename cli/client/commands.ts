import * as z from 'zod';
import { type HubConnection, request } from './request.ts';

/** A command as `POST /commands` takes it: `command` is its name, the other members are its arguments. */
export type Command = Readonly<Record<string, unknown>> & { readonly command: string };

/** `waiting` until the queue has delivered the command. `customers`: the ids of those that it changed. */
const CommandOutcome = z.discriminatedUnion('status', [
  z.object({ status: z.literal('waiting') }),
  z.object({ status: z.literal('done'), customers: z.array(z.string()) }),
  z.object({ status: z.literal('refused'), code: z.string(), reason: z.string() }),
]);
export type CommandOutcome = z.infer<typeof CommandOutcome>;

const AcceptedCommand = z.object({ id: z.string() });

/** Queues a command. The id of the answer asks for its outcome. */
export const sendCommand = (hub: HubConnection, command: Command): Promise<z.infer<typeof AcceptedCommand>> =>
  request(hub, { method: 'POST', path: ['commands'], body: command }, AcceptedCommand);

export const getCommandOutcome = (hub: HubConnection, id: string): Promise<CommandOutcome> =>
  request(hub, { method: 'GET', path: ['commands', id] }, CommandOutcome);
