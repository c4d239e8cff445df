// https://docs.slack.dev/reference/block-kit/blocks/rich-text-block

import { memberOf } from '../../../core/formats/payload.ts';

const partsOf = (element: unknown): readonly unknown[] => {
  const parts = memberOf(element, 'elements');
  return Array.isArray(parts) ? parts : [];
};

/** What a part of a line shows: its words, its address, or the name of what it stands for. */
const inline = (part: unknown): string => {
  const shown = (name: string): string | undefined => {
    const value = memberOf(part, name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const [user, channel, group] = [shown('user_id'), shown('channel_id'), shown('usergroup_id')];
  if (user !== undefined) return `<@${user}>`;
  if (channel !== undefined) return `<#${channel}>`;
  if (group !== undefined) return `<!subteam^${group}>`;
  const emoji = memberOf(part, 'type') === 'emoji' ? shown('name') : undefined;
  if (emoji !== undefined) return `:${emoji}:`;
  const [text, url] = [shown('text'), shown('url')];
  if (text !== undefined) return url === undefined || url === text ? text : `${text} (${url})`;
  return url ?? shown('fallback') ?? shown('range') ?? shown('value') ?? '';
};

const linesOf = (element: unknown): string[] => {
  const type = memberOf(element, 'type');
  if (type === 'rich_text') return partsOf(element).flatMap(linesOf);
  if (type === 'rich_text_list')
    return partsOf(element)
      .flatMap(linesOf)
      .map((line) => `- ${line}`);
  return [partsOf(element).map(inline).join('')];
};

/** The words of formatted text, or of several blocks of it, as a person reads them: each section and list item in a line. */
export const textOfRichText = (richText: unknown): string =>
  [richText]
    .flat()
    .filter((block) => memberOf(block, 'type') === 'rich_text')
    .flatMap(linesOf)
    .join('\n')
    .trim();
