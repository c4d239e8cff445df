import type { HubConfig } from '../../../core/config/hub-config.ts';
import { acceptedLanguages, type Words, wordsIn } from './words/index.ts';

/** How the pages speak and look: in the name and the colour of the business, in a language of the person. */
export interface Site {
  readonly name: string;
  readonly brand: HubConfig['brand'];
  /** A language of the catalogue. */
  readonly language: string;
  readonly words: Words;
}

/**
 * The person's own language, else one that the browser asks for, else the hub's, as far as the catalogue has it. `accepted`: the
 * header `Accept-Language`.
 */
export const siteFor = (
  { brand, name, language }: HubConfig,
  own: string | undefined,
  accepted: string | undefined,
): Site => ({
  ...{ brand, name: brand.name ?? spoken(name) },
  ...wordsIn([own, ...acceptedLanguages(accepted), language]),
});

/** The name of the hub, as it is written in a sentence. */
const spoken = (name: string): string =>
  name
    .split('-')
    .filter((word) => word !== '')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ');
