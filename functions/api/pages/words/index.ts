import { tagsOf } from '../../../../core/triggers/template-files.ts';
import { english, type Words } from './en.ts';
import { italian } from './it.ts';

export type { Words };

const catalogue: Readonly<Record<string, Words>> = { en: english, it: italian };

/** The words in the first of the languages that the catalogue has, by its tag or its primary one; else in English. */
export const wordsIn = (
  languages: readonly (string | undefined)[],
): { readonly language: string; readonly words: Words } => {
  for (const language of languages.flatMap(tagsOf)) {
    const words = Object.hasOwn(catalogue, language) ? catalogue[language] : undefined;
    if (words) return { language, words };
  }
  return { language: 'en', words: english };
};

/** The languages of an `Accept-Language` header, the most wanted first. Only the first ten are read. */
export const acceptedLanguages = (header = ''): string[] =>
  header
    .split(',', 10)
    .map((entry) => {
      const [tag = '', weight] = entry.split(';');
      const [name, quality = ''] = (weight ?? 'q=1').split('=');
      return { tag: tag.trim(), weight: name?.trim() === 'q' ? Number(quality) : Number.NaN };
    })
    .filter(({ tag, weight }) => /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*$/u.test(tag) && weight > 0)
    .sort((one, other) => other.weight - one.weight)
    .map(({ tag }) => tag);
