/** A command of a guide, without its comment. */
export interface GuideCommand {
  readonly file: string;
  /** The line of the page, from 1. */
  readonly line: number;
  readonly text: string;
}

interface Block {
  readonly language: string;
  /** The line of the page on which its text begins, from 1. */
  readonly line: number;
  readonly lines: readonly string[];
}

const blocksOf = (page: string): Block[] => {
  const blocks: Block[] = [];
  let open: { readonly indent: string; readonly language: string; readonly line: number } | undefined;
  let lines: string[] = [];
  for (const [at, line] of page.split('\n').entries()) {
    const [, indent = '', language = ''] = /^( *)```(\S*)$/u.exec(line) ?? [];
    const isFence = /^ *```\S*$/u.test(line);
    if (open === undefined && isFence) [open, lines] = [{ indent, language, line: at + 2 }, []];
    else if (open !== undefined && isFence) {
      blocks.push({ language: open.language, line: open.line, lines });
      open = undefined;
    } else if (open !== undefined) lines.push(line.slice(open.indent.length));
  }
  return blocks;
};

/** A block whose every line begins with one of these is a list of commands; any other shows a file or an answer. */
const PROGRAMS = /^(?:(?:npx|npm|hub|aws|curl|git|cd|export) |[A-Z]+=)/u;

/** The commands in the blocks of a page, in their order. A line that ends with `\` or `|` goes on in the next one. */
export const commandsOf = (file: string, page: string): GuideCommand[] =>
  blocksOf(page)
    .filter(({ language }) => /^(?:sh|bash)?$/u.test(language))
    .map(({ line: first, lines }) => {
      const commands: GuideCommand[] = [];
      let isOpen = false;
      for (const [at, raw] of lines.entries()) {
        const line = raw.replace(/(?:^|\s+)#\s.*$/u, '').trimEnd();
        if (line === '' && !isOpen) continue;
        const last = commands.at(-1);
        if (isOpen && last) commands[commands.length - 1] = { ...last, text: `${last.text}\n${line}` };
        else commands.push({ file, line: first + at, text: line });
        isOpen = /(?:\\|\|)$/u.test(line);
      }
      return commands;
    })
    .filter((commands) => commands.every(({ text }) => PROGRAMS.test(text)))
    .flat();

/** The text of the first block of a language, such as the example of a CSV file. */
export const exampleOf = (page: string, language: string): string =>
  `${blocksOf(page)
    .find((block) => block.language === language)
    ?.lines.join('\n')}\n`;
