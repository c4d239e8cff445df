import type { Interaction } from '../../../core/interaction/interaction.ts';
import type { Caused } from '../../contracts/events/build.ts';
import type { StoredInteraction } from '../../contracts/ports/history.ts';

/** An interaction that was stored without its content, and what it changed then. */
export interface IncompleteInteraction extends StoredInteraction {
  readonly caused?: Caused | undefined;
}

/** What the content of an interaction may still tell once it is stored. Whose it is, when it was and what it is stays. */
export const contentFields = [
  'text',
  'subject',
  'attachments',
  'properties',
  'refersTo',
  'conversationId',
] as const;

/** A stored interaction with the content that has come after all. */
export const completed = (
  { incomplete: _incomplete, caused: _caused, ...stored }: IncompleteInteraction,
  whole: Interaction,
): StoredInteraction => {
  const properties = { ...stored.properties, ...whole.properties };
  const told = contentFields.flatMap((name) => (whole[name] === undefined ? [] : [[name, whole[name]]]));
  return {
    ...stored,
    ...Object.fromEntries(told),
    ...(Object.keys(properties).length > 0 && { properties }),
  };
};
