import { parse } from 'yaml';
import type { HubConnection } from '../client/request.ts';
import { testTrigger } from '../client/triggers/triggers.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { sanitize } from '../terminal/sanitize.ts';
import { isFile, readTriggerFile } from './files.ts';

interface TestOptions {
  readonly customer: string | undefined;
  /** The id of an interaction, or an invented one as YAML. */
  readonly interaction: string | undefined;
  /** An address of one's own that gets the message as a test. */
  readonly sendTo: string | undefined;
}

/** Prints what a trigger would decide now for a customer, check by check, and the message; with `sendTo` the message is sent there as a test. Nothing else is stored or sent. */
export const printTest = async (
  hub: HubConnection,
  argument: string,
  { customer, interaction, sendTo }: TestOptions,
): Promise<number> => {
  if (customer === undefined) throw badArguments('Name the customer: --customer email:ada@example.com.');
  const { decisions, ...tried } = await testTrigger(hub, {
    customer,
    trigger: isFile(argument) ? givenOf(argument) : argument,
    ...(interaction !== undefined && { interaction: interactionOf(interaction) }),
    ...(sendTo !== undefined && { sendTo }),
  });
  const { id, kind, channel, occurredAt, setsItOff } = tried.interaction;
  console.log(
    `Tried on the ${kind} on ${channel} of ${occurredAt} (${sanitize(id)}). Nothing is decided for good.`,
  );
  if (!setsItOff) console.log('This interaction does not set the trigger off: `on` does not match it.');
  for (const { at, sentences, summary, message, fault } of decisions) {
    console.log(`At ${at}:`);
    for (const sentence of sentences) console.log(`  ${sanitize(sentence)}`);
    console.log(`  ${sanitize(summary)}`);
    if (fault !== undefined) console.log(`  The message cannot be rendered: ${sanitize(fault)}`);
    if (message?.subject !== undefined) console.log(`  Subject: ${sanitize(message.subject)}`);
    for (const line of message?.text.split('\n') ?? []) console.log(`  | ${sanitize(line)}`);
  }
  if (tried.sentTo !== undefined) console.log(`A test message is on its way to ${sanitize(tried.sentTo)}.`);
  return 0;
};

const givenOf = (file: string): Omit<ReturnType<typeof readTriggerFile>, 'id'> => {
  const { id: _, ...given } = readTriggerFile(file);
  return given;
};

const interactionOf = (text: string): unknown => (text.trim().startsWith('{') ? parse(text) : text);
