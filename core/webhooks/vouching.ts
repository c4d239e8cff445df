import { type Identifier, identifierType } from '../identity/identifier.ts';
import { isReport } from '../identity/proof/vouched.ts';
import type { Channel, DecodedInteraction, Direction, Kind } from '../interaction/interaction.ts';

/**
 * Who vouches for one field of a provider: a row of the table in docs/identity.md. The first row that fits an identifier
 * decides. A mapping applies the rows by `channelMapping`, so they are what happens, not a description of it.
 */
export interface Vouching {
  /** The field by the vendor's name, and where it stands if that matters. */
  readonly field: string;
  /** The type of the identifier that the field becomes; `*`: any. */
  readonly type: string;
  /** The interactions that the row is about; without one of these, all. */
  readonly on?: {
    readonly kinds?: readonly Kind[];
    readonly channels?: readonly Channel[];
    readonly direction?: Direction;
  };
  /**
   * `proven`: somebody who can know vouches that the person who acted controls the identifier. `claimed`: anybody could
   * have typed it. `provenIf`: proven where the mapping found the condition to hold (`Draft.vouched`), else claimed.
   */
  readonly proof: 'proven' | 'claimed' | { readonly provenIf: string };
  readonly why: string;
}

type On = Vouching['on'];

/** The id of a user of a platform. */
export const platformUser = (field: string, type: string, on?: On): Vouching => ({
  ...{ field, type, proof: 'proven', why: 'the platform signs its users in' },
  ...(on && { on }),
});

/** The number or address from which a message came through a network that does not let its sender choose it. */
export const sentFrom = (field: string, type: string, on?: On): Vouching => ({
  ...{ field, type, proof: 'proven', why: 'the message came from this number' },
  ...(on && { on }),
});

/** The number of the person whom the business called. */
export const calledNumber = (field: string): Vouching => ({
  ...{ field, type: 'phone', proof: 'proven', why: 'the business called this number' },
  on: { kinds: ['call'], direction: 'outbound' },
});

/** The number of a caller. Anybody can call with any number, unless the carriers signed the call. */
export const callerNumber = (field: string, provenIf: string): Vouching => ({
  ...{ field, type: 'phone', on: { kinds: ['call'] }, proof: { provenIf } },
  why: 'callers choose the number that is shown; full attestation (STIR/SHAKEN, level A) says that it is theirs',
});

/** The author of a mail, by the receiving provider's own verdict. */
export const mailAuthor = (field: string, provenIf: string): Vouching => ({
  ...{ field, type: 'email', on: { kinds: ['message'] }, proof: { provenIf } },
  why: 'anybody can write any From; what is inside the mail proves nothing',
});

/** The address that left a list by a link. */
export const leftList = (field: string): Vouching => ({
  ...{ field, type: 'email', on: { kinds: ['opt-out'] }, proof: 'proven' },
  why: 'the link was sent to this address, and it only turns off',
});

/** The address that joined a list by a link, or that an audience has. */
export const joinedList = (field: string): Vouching => ({
  ...{ field, type: 'email', proof: 'claimed' },
  why: 'anybody with a forwarded mail can use its link, and an audience may be filled by a form',
});

/** What a visitor can type, or put into an address. */
export const typed = (field: string, type: string, why = 'a visitor can type it', on?: On): Vouching => ({
  ...{ field, type, proof: 'claimed', why },
  ...(on && { on }),
});

type Described = Pick<DecodedInteraction, 'kind' | 'channel' | 'direction'>;

/** The row that decides about an identifier of an interaction; undefined: nobody vouches for it. */
export const vouchingOf = (
  rows: readonly Vouching[],
  { kind, channel, direction }: Described,
  identifier: Identifier,
): Vouching | undefined =>
  rows.find(
    ({ type, on }) =>
      (type === '*' || type === identifierType(identifier)) &&
      on?.kinds?.includes(kind) !== false &&
      on?.channels?.includes(channel) !== false &&
      (on?.direction ?? direction) === direction,
  );

/**
 * The identifiers of an interaction, with those that they become, for which nobody vouches, in the order given. An identifier that no row
 * mentions is claimed. Of a report about a message of ours none is listed: a report proves nothing about anybody.
 */
export const claimedBy = (
  rows: readonly Vouching[],
  interaction: DecodedInteraction,
  isVouched: boolean,
): Identifier[] =>
  isReport(interaction)
    ? []
    : [...interaction.identifiers, ...(interaction.becomes ?? [])].filter((identifier) => {
        const proof = vouchingOf(rows, interaction, identifier)?.proof ?? 'claimed';
        return proof === 'claimed' || (proof !== 'proven' && !isVouched);
      });
