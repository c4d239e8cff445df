/** One key that differs between two triggers with their templates. Absent sides do not have the key. */
export interface Difference {
  /** A path of the definition such as `limits.perCustomer`, or `templates/<id>/<file>`. */
  readonly key: string;
  readonly published?: string;
  readonly given?: string;
}

interface Compared {
  readonly definition: unknown;
  readonly templates: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What differs between the published trigger and another one, by key, in the order of the keys; empty where nothing does. */
export const differences = (published: Compared | undefined, given: Compared): Difference[] => {
  const [before, after] = [published === undefined ? new Map() : keysOf(published), keysOf(given)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => {
      const [old, present] = [before.get(key), after.get(key)];
      return {
        key,
        ...(old !== undefined && { published: old }),
        ...(present !== undefined && { given: present }),
      };
    });
};

const keysOf = ({ definition, templates }: Compared): Map<string, string> =>
  new Map([
    ...leaves(definition, []),
    ...Object.entries(templates)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(([id, files]) =>
        Object.entries(files)
          .sort(([one], [other]) => (one < other ? -1 : 1))
          .map(([file, text]) => [`templates/${id}/${file}`, text] as const),
      ),
  ]);

/** The leaves of a definition by their paths; a list is one leaf unless it has objects. */
const leaves = (value: unknown, path: readonly string[]): [key: string, text: string][] => {
  const isNested = Array.isArray(value)
    ? value.some((one) => typeof one === 'object' && one !== null)
    : typeof value === 'object' && value !== null;
  if (!isNested) return [[path.join('.'), typeof value === 'string' ? value : JSON.stringify(value)]];
  return Object.entries(Object(value)).flatMap(([key, one]) => leaves(one, [...path, key]));
};

/** The lines that two texts do not share: `-` of the published one, `+` of the given one, in order. */
export const changedLines = (published: string, given: string): string[] => {
  const [old, present] = [published.split('\n'), given.split('\n')];
  const shared = commonLengths(old, present);
  const lines: string[] = [];
  let [at, to] = [0, 0];
  while (at < old.length || to < present.length) {
    if (at < old.length && to < present.length && old[at] === present[to]) {
      at++;
      to++;
    } else if (
      to >= present.length ||
      (at < old.length && lengthAt(shared, at + 1, to) >= lengthAt(shared, at, to + 1))
    )
      lines.push(`- ${old[at++] ?? ''}`);
    else lines.push(`+ ${present[to++] ?? ''}`);
  }
  return lines;
};

const lengthAt = (lengths: readonly (readonly number[])[], at: number, to: number): number =>
  lengths[at]?.[to] ?? 0;

/** For each pair of places the length of the longest common sequence of lines behind them. */
const commonLengths = (old: readonly string[], present: readonly string[]): number[][] => {
  const lengths = Array.from({ length: old.length + 1 }, () => new Array<number>(present.length + 1).fill(0));
  for (let at = old.length - 1; at >= 0; at--)
    for (let to = present.length - 1; to >= 0; to--) {
      const row = lengths[at];
      if (row === undefined) continue;
      row[to] =
        old[at] === present[to]
          ? lengthAt(lengths, at + 1, to + 1) + 1
          : Math.max(lengthAt(lengths, at + 1, to), lengthAt(lengths, at, to + 1));
    }
  return lengths;
};
