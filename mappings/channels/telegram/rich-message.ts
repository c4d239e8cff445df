// https://core.telegram.org/bots/api#richmessage
// Blocks hold text, other blocks, or both. A text is a string, a list of texts, or an object with a text in it.

import { memberOf } from '../../../core/formats/payload.ts';

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The words of a text of any type: an emoji or a formula has them in a member of its own. */
const wordsOf = (text: unknown): string => {
  if (typeof text === 'string') return text;
  if (Array.isArray(text)) return text.map(wordsOf).join('');
  const inner =
    memberOf(text, 'text') ??
    memberOf(memberOf(text, 'button'), 'text') ??
    memberOf(text, 'alternative_text') ??
    memberOf(text, 'expression');
  return inner === undefined ? '' : wordsOf(inner);
};

const rowOf = (cells: unknown): string =>
  listOf(cells)
    .map((cell) => wordsOf(memberOf(cell, 'text')))
    .join(' | ');

/** The lines of a block, of any type: what it says itself, then what is in it, then who said it. */
const linesOf = (block: unknown): string[] => {
  const items = listOf(memberOf(block, 'items')).flatMap((item) => {
    const [first = '', ...rest] = listOf(memberOf(item, 'blocks')).flatMap(linesOf);
    const label = memberOf(item, 'label');
    return [typeof label === 'string' && label !== '' ? `${label} ${first}` : `- ${first}`, ...rest];
  });
  return [
    wordsOf(memberOf(block, 'summary') ?? ''),
    wordsOf(memberOf(block, 'type') === 'buttons' ? '' : block),
    ...items,
    ...listOf(memberOf(block, 'blocks')).flatMap(linesOf),
    ...listOf(memberOf(block, 'cells')).map(rowOf),
    wordsOf(memberOf(block, 'caption') ?? ''),
    wordsOf(memberOf(block, 'credit') ?? ''),
  ].filter((line) => line.trim() !== '');
};

/** The words of a formatted message, each block in a line of its own. */
export const textOfRichMessage = (message: unknown): string =>
  listOf(memberOf(message, 'blocks')).flatMap(linesOf).join('\n');

const fileTypes = ['animation', 'audio', 'document', 'photo', 'video', 'voice_note'] as const;

/** The files within the blocks, as members of a message have them. */
export const mediaOfRichMessage = (message: unknown): Readonly<Record<string, unknown>>[] =>
  listOf(memberOf(message, 'blocks')).flatMap(mediaOfBlock);

const mediaOfBlock = (block: unknown): Readonly<Record<string, unknown>>[] => [
  ...fileTypes.flatMap((type) => {
    const file = memberOf(block, type);
    return file === undefined ? [] : [{ [type === 'voice_note' ? 'voice' : type]: file }];
  }),
  ...listOf(memberOf(block, 'blocks')).flatMap(mediaOfBlock),
  ...listOf(memberOf(block, 'items')).flatMap((item) =>
    listOf(memberOf(item, 'blocks')).flatMap(mediaOfBlock),
  ),
];
