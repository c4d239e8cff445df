import { parseArgs } from 'node:util';
import * as z from 'zod';
import { ConsentStatus } from '../../core/consent/consent.ts';
import type { Evidence } from '../../core/consent/evidence.ts';
import { Channel, Instant } from '../../core/interaction/interaction.ts';
import type { Command } from '../client/commands.ts';
import { getConsent } from '../client/consent.ts';
import type { HubConnection } from '../client/request.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { sanitize } from '../terminal/sanitize.ts';
import { currentUser } from '../terminal/user.ts';

/** Prints the consent of a customer for each channel and address with its evidence, then every answer, newest first. */
export const printConsent = async (hub: HubConnection, customerId: string): Promise<void> => {
  const { channels, closed, muted, preferences, history } = await getConsent(hub, customerId);
  if (channels.length === 0) console.log('No answers about consent.');
  for (const { channel, status, since, evidence, addresses } of channels) {
    const open = addresses.filter((one) => one.open).map(({ address }) => sanitize(address));
    console.log(
      `${channel.padEnd(9)} ${status.padEnd(12)} since ${since}  ${describeEvidence(evidence)}  ${open.join(' ')}`,
    );
  }
  for (const { address, reason, since, evidence } of closed)
    console.log(
      `closed    ${sanitize(reason).padEnd(12)} since ${since}  ${describeEvidence(evidence)}  ${sanitize(address)}`,
    );
  for (const { address, channel, since } of muted)
    console.log(
      `muted     ${channel.padEnd(12)} since ${since}  no marketing until its owner answers  ${sanitize(address)}`,
    );
  if (preferences.channel !== undefined) console.log(`prefers   ${preferences.channel}`);
  if (history.length > 0) console.log('\nAnswers, newest first:');
  for (const { at, channel, answer, from, to, evidence } of history)
    console.log(
      `${at}  ${channel.padEnd(9)} ${answer.padEnd(12)} ${from} → ${to}  ${describeEvidence(evidence)}`,
    );
};

const describeEvidence = (evidence: Evidence | null): string => {
  if (evidence === null) return 'evidence expired';
  if (evidence.type !== 'interaction') {
    const { type, by, text } = evidence;
    return sanitize(`${type} by ${by}${text === undefined ? '' : `: ${text}`}`);
  }
  const { kind, provider, word, scope, page, address } = evidence;
  const details = [word && `“${word}”`, scope && `scope ${scope}`, page && `on the ${page} page`, address];
  return sanitize(
    [`${kind} by ${provider}`, ...details.filter((one) => one !== undefined && one !== '')].join(', '),
  );
};

/** The command for `CHANNEL STATUS [--evidence TEXT] [--at TIME]`. Throws `HubError` `invalid-arguments`. */
export const consentCommand = (customer: string, args: readonly string[]): Command => {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { evidence: { type: 'string' }, at: { type: 'string' } },
    allowPositionals: true,
  });
  const { evidence, at } = values;
  const [channel, status] = positionals;
  const answer = z
    .object({ channel: Channel, status: ConsentStatus, at: Instant.optional() })
    .safeParse({ channel, status, at });
  if (answer.success && positionals.length === 2)
    return {
      command: 'consent',
      customer,
      by: currentUser(),
      ...answer.data,
      ...(evidence && { evidence }),
    };
  throw badArguments(
    `Usage: hub customer consent IDENTIFIER CHANNEL ${ConsentStatus.options.join('|')} [--evidence TEXT] [--at 2026-03-01T09:00:00Z]\nChannels: ${Channel.options.join(' ')}`,
  );
};

/** The command for `IDENTIFIER [--evidence TEXT]`. */
export const reopenCommand = (identifier: string, args: readonly string[]): Command => {
  const { values } = parseArgs({ args: [...args], options: { evidence: { type: 'string' } } });
  const { evidence } = values;
  return { command: 'reopen', identifier, by: currentUser(), ...(evidence && { evidence }) };
};
