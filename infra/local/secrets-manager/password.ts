import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';

/** What a random password is made of, as Secrets Manager asks it. */
export const Password = z.looseObject({
  PasswordLength: z.int().min(1).max(4096).default(32),
  ExcludeCharacters: z.string().default(''),
  ExcludeNumbers: z.boolean().default(false),
  ExcludePunctuation: z.boolean().default(false),
  ExcludeUppercase: z.boolean().default(false),
  ExcludeLowercase: z.boolean().default(false),
  IncludeSpace: z.boolean().default(false),
  RequireEachIncludedType: z.boolean().default(true),
});
export type Password = z.infer<typeof Password>;

/** A random password. @throws ServiceError when nothing can be made of what is not excluded. */
export const password = (asked: Password, random: () => number): string => {
  const pick = (characters: string): string => characters.charAt(Math.floor(random() * characters.length));
  const kinds = [
    asked.ExcludeLowercase ? '' : 'abcdefghijklmnopqrstuvwxyz',
    asked.ExcludeUppercase ? '' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    asked.ExcludeNumbers ? '' : '0123456789',
    asked.ExcludePunctuation ? '' : '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
    asked.IncludeSpace ? ' ' : '',
  ]
    .map((kind) => [...kind].filter((one) => !asked.ExcludeCharacters.includes(one)).join(''))
    .filter((kind) => kind !== '');
  if (kinds.length === 0 || (asked.RequireEachIncludedType && kinds.length > asked.PasswordLength)) {
    throw new ServiceError(
      'InvalidParameterException',
      'No password of that length can be made of the characters that are not excluded.',
    );
  }
  const required = asked.RequireEachIncludedType ? kinds.map(pick) : [];
  const rest = Array.from({ length: asked.PasswordLength - required.length }, () => pick(kinds.join('')));
  return [...required, ...rest]
    .map((character) => ({ character, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ character }) => character)
    .join('');
};
