import { HubError } from '../../../core/errors.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { expectOthers, mergeToUndo } from '../../../core/identity/decisions/unmerge.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import { normaliseIdentifier } from '../../../core/identity/normalise.ts';
import { expectUnowned, notClaimed } from '../../../core/identity/proof/confirm.ts';
import type { CommandMessage } from '../../contracts/messages/record.ts';
import type { History } from '../../contracts/ports/history.ts';
import { problem } from '../../middleware/http.ts';
import type { Answer } from './route.ts';

export interface RulePorts {
  readonly history: Pick<History, 'customers'>;
  readonly owners: (identifiers: readonly Identifier[]) => Promise<ReadonlyMap<Identifier, string>>;
  /** Whether any guest claims an identifier. */
  readonly isClaimed: (identifier: Identifier) => Promise<boolean>;
}

/**
 * The rule of `core/identity` that a command breaks as things are now, which the person who gives it can be told at once.
 * `owner`: the source profile of the customer that it names. Who executes it checks it again.
 */
export const brokenRule = async (
  command: CommandMessage,
  owner: string | undefined,
  ports: RulePorts,
): Promise<Answer | undefined> => {
  try {
    await expectRules(command, owner, ports);
    return undefined;
  } catch (error) {
    if (error instanceof HubError && error.retry === 'never') return problem(409, error.code, error.message);
    throw error;
  }
};

const expectRules = async (
  command: CommandMessage,
  owner: string | undefined,
  { history, owners, isClaimed }: RulePorts,
): Promise<void> => {
  const customerOf = async (profileId: string): Promise<Customer | undefined> =>
    (await history.customers([profileId])).get(profileId);
  const customer = owner === undefined ? undefined : await customerOf(owner);
  if (customer === undefined) return;
  if (command.command === 'unmerge') mergeToUndo(customer.sourceProfiles, command.merge);
  if (command.command !== 'confirm' && command.command !== 'split') return;
  const identifier = normaliseIdentifier(command.identifier) ?? command.identifier;
  const holder = (await owners([identifier])).get(identifier);
  if (command.command === 'confirm')
    return expectUnowned(customer.id, holder && (await customerOf(holder))?.id);
  if (holder === undefined) {
    if (!(await isClaimed(identifier))) throw notClaimed();
    return;
  }
  const held = await customerOf(holder);
  const isConfirmed = held?.sourceProfiles.some(({ profile }) => profile.confirmed.includes(identifier));
  if (held !== undefined && !isConfirmed) expectOthers(held);
};
