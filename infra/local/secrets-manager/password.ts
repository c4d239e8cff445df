import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';

/** The input of GetRandomPassword. */
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

/** A random password. @throws ServiceError where the allowed characters cannot fill it. */
export const password = (rules: Password, random: () => number): string => {
  const pick = (characters: string): string => characters.charAt(Math.floor(random() * characters.length));
  const kinds = [
    rules.ExcludeLowercase ? '' : 'abcdefghijklmnopqrstuvwxyz',
    rules.ExcludeUppercase ? '' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    rules.ExcludeNumbers ? '' : '0123456789',
    rules.ExcludePunctuation ? '' : '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
    rules.IncludeSpace ? ' ' : '',
  ]
    .map((kind) => [...kind].filter((one) => !rules.ExcludeCharacters.includes(one)).join(''))
    .filter((kind) => kind !== '');
  if (kinds.length === 0 || (rules.RequireEachIncludedType && kinds.length > rules.PasswordLength)) {
    throw new ServiceError(
      'InvalidParameterException',
      'No password of that length can be made of the characters that are not excluded.',
    );
  }
  const required = rules.RequireEachIncludedType ? kinds.map(pick) : [];
  const rest = Array.from({ length: rules.PasswordLength - required.length }, () => pick(kinds.join('')));
  return [...required, ...rest]
    .map((character) => ({ character, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ character }) => character)
    .join('');
};
