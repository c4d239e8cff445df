/** The rows of a CSV text (RFC 4180), cells as they are. */
export const parseCsv = (text: string, delimiter: string): string[][] => {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endRow = () => {
    row.push(cell);
    if (row.length > 1 || cell !== '') rows.push(row);
    [row, cell] = [[], ''];
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted && character === '"' && text[at + 1] === '"') {
      cell += '"';
      at++;
    } else if (character === '"') quoted = !quoted;
    else if (quoted) cell += character;
    else if (character === delimiter) {
      row.push(cell);
      cell = '';
    } else if (character === '\n') endRow();
    else if (character !== '\r') cell += character;
  }
  endRow();
  return rows;
};

const cellOf = (value: unknown): string => `"${String(value ?? '').replaceAll('"', '""')}"`;

/** A CSV text of these rows, the header first. */
export const writeCsv = (rows: readonly (readonly unknown[])[], delimiter = ',', lineEnding = '\n'): string =>
  rows.map((row) => `${row.map(cellOf).join(delimiter)}${lineEnding}`).join('');
