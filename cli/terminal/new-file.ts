import { existsSync } from 'node:fs';
import { parse } from 'node:path';
import { badArguments } from './bad-arguments.ts';

/**
 * The file that a command is to write, which never replaces another: `asked` as it is, or `usual`, with a number where that
 * one exists. Throws `HubError` `invalid-arguments` where `asked` exists.
 */
export const newFile = (asked: string | undefined, usual: string): string => {
  if (asked !== undefined) {
    if (existsSync(asked)) throw badArguments(`${asked} exists already. Name another file, or move it away.`);
    return asked;
  }
  const { dir, name, ext } = parse(usual);
  const numbered = (number: number): string =>
    `${dir === '' ? '' : `${dir}/`}${name}${number === 1 ? '' : `-${number}`}${ext}`;
  let number = 1;
  while (existsSync(numbered(number))) number++;
  return numbered(number);
};
