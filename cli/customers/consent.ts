import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { ConsentStatus } from '../../core/consent/consent.ts';
import { Evidence, GivenAnswer } from '../../core/consent/evidence.ts';
import { HubError } from '../../core/errors.ts';
import { Channel, Instant } from '../../core/interaction/interaction.ts';
import { call } from '../client/call.ts';
import { sanitize } from '../terminal/sanitize.ts';

const Known = z.looseObject({ evidence: Evidence.nullable() });
const Answer = z.object({
  channels: z.array(
    Known.extend({
      channel: Channel,
      status: ConsentStatus,
      since: Instant,
      addresses: z.array(z.object({ address: z.string(), open: z.boolean() })),
    }),
  ),
  closed: z.array(Known.extend({ address: z.string(), reason: z.string(), since: Instant })),
  preferences: z.looseObject({ channel: Channel.optional() }),
  history: z.array(GivenAnswer),
});

/** Prints what a customer has answered about consent, when, and what proves it. */
export const printConsent = async (customer: string): Promise<void> => {
  const { channels, closed, preferences, history } = Answer.parse(
    await call('GET', `/customers/${customer}/consent`),
  );
  if (channels.length === 0) console.log('Nothing was ever answered about consent.');
  for (const { channel, status, since, evidence, addresses } of channels) {
    const open = addresses.filter((one) => one.open).map(({ address }) => address);
    console.log(
      `${channel.padEnd(9)} ${status.padEnd(12)} since ${since}  ${told(evidence)}  ${open.map(sanitize).join(' ')}`,
    );
  }
  for (const { address, reason, since, evidence } of closed)
    console.log(
      `closed    ${sanitize(reason).padEnd(12)} since ${since}  ${told(evidence)}  ${sanitize(address)}`,
    );
  if (preferences.channel !== undefined) console.log(`prefers   ${preferences.channel}`);
  if (history.length > 0) console.log('\nAnswers, newest first:');
  for (const { at, channel, answer, from, to, evidence } of history)
    console.log(`${at}  ${channel.padEnd(9)} ${answer.padEnd(12)} ${from} → ${to}  ${told(evidence)}`);
};

const told = (evidence: Evidence | null): string => {
  if (evidence === null) return 'what said so has expired';
  if (evidence.type !== 'interaction') {
    const { type, by, text } = evidence;
    return sanitize(`${type} by ${by}${text === undefined ? '' : `: ${text}`}`);
  }
  const { kind, provider, said, scope, page, address } = evidence;
  const words = [said && `“${said}”`, scope && `scope ${scope}`, page && `on the ${page} page`, address];
  return sanitize(
    [`${kind} by ${provider}`, ...words.filter((one) => one !== undefined && one !== '')].join(', '),
  );
};

/** The command that `CHANNEL STATUS [--evidence TEXT] [--at TIME]` asks for. Throws `HubError` `bad-arguments`. */
export const consentCommand = (customer: string, args: readonly string[]): object => {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { evidence: { type: 'string' }, at: { type: 'string' } },
    allowPositionals: true,
  });
  const { evidence, at } = values;
  const [channel, status] = positionals;
  const asked = z
    .object({ channel: Channel, status: ConsentStatus, at: Instant.optional() })
    .safeParse({ channel, status, at });
  if (asked.success && positionals.length === 2)
    return {
      command: 'consent',
      customer,
      by: userInfo().username,
      ...asked.data,
      ...(evidence && { evidence }),
    };
  throw new HubError(
    'bad-arguments',
    `hub customer consent IDENTIFIER CHANNEL ${ConsentStatus.options.join('|')} [--evidence "…"] [--at 2026-03-01T09:00:00Z]\nChannels: ${Channel.options.join(' ')}`,
    { retry: 'never' },
  );
};

/** The command that `[--evidence TEXT]` asks for. */
export const reopenCommand = (identifier: string, args: readonly string[]): object => {
  const { values } = parseArgs({ args: [...args], options: { evidence: { type: 'string' } } });
  const { evidence } = values;
  return { command: 'reopen', identifier, by: userInfo().username, ...(evidence && { evidence }) };
};
