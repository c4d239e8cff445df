import type { DecodedInteraction } from '../interaction/interaction.ts';
import type { ChannelMapping, Content, Decoded, Delivery } from './channel.ts';
import { claimedBy, type Vouching } from './vouching.ts';

/** An interaction before it is decided which of its identifiers are claimed. */
export type Draft = Omit<DecodedInteraction, 'claimed'> & {
  /** Whether the condition of the mapping's conditional rows holds for this interaction; absent: it does not. */
  readonly vouched?: boolean;
};

/** The contents of a delivery, as drafts. */
export type Drafts = Omit<Decoded, 'interactions'> & { readonly interactions: readonly Draft[] };

interface MappingDefinition extends Omit<ChannelMapping, 'decode' | 'complete'> {
  decode(delivery: Delivery): Drafts | Promise<Drafts>;
  /** Decides anew who vouches: what the condition of a row needs is in the properties of the interaction. */
  complete?(interaction: DecodedInteraction, content: Content): Draft | Promise<Draft>;
}

/** A mapping whose interactions have `claimed` as its rows in `vouching` say. */
export const channelMapping = ({ decode, complete, ...rest }: MappingDefinition): ChannelMapping => {
  const decided = withClaimed(rest.vouching);
  return {
    ...rest,
    decode: async (delivery) => {
      const { interactions, ...rest } = await decode(delivery);
      return { ...rest, interactions: interactions.map(decided) };
    },
    ...(complete && {
      complete: async ({ claimed: _claimed, ...interaction }, content) =>
        decided(await complete(interaction, content)),
    }),
  };
};

const withClaimed =
  (rows: readonly Vouching[]) =>
  ({ vouched = false, ...interaction }: Draft): DecodedInteraction => {
    const claimed = claimedBy(rows, interaction, vouched);
    return claimed.length === 0 ? interaction : { ...interaction, claimed };
  };
