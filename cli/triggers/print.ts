import { faultLine } from '../../core/config/config-file.ts';
import { changedLines } from '../../core/triggers/publishing/difference.ts';
import type { Check, TriggerState } from '../client/triggers/triggers.ts';
import { sanitize } from '../terminal/sanitize.ts';

/** One trigger on one line, and its draft on another. */
export const stateLines = ({
  id,
  state,
  version,
  name = '',
  waiting,
  draft,
  ...rest
}: TriggerState): string[] => [
  [
    id.padEnd(28),
    state.padEnd(9),
    (version === undefined ? '' : `v${version}`).padEnd(5),
    sanitize(authorText(rest)),
    ...(rest.pausedAt === undefined ? [] : [sanitize(`paused ${rest.pausedAt} by ${rest.pausedBy ?? '?'}`)]),
    ...(waiting > 0 ? [`${waiting} wait`] : []),
    sanitize(name),
  ]
    .filter((part) => part !== '')
    .join('  '),
  ...(draft && version !== undefined ? [`${' '.repeat(28)}  draft      ${sanitize(authorText(draft))}`] : []),
];

/** `2026-03-01T09:00:00.000Z ada: note` */
export const authorText = ({
  at = 'before versions had times',
  by,
  note,
}: {
  readonly at?: string | undefined;
  readonly by?: string | undefined;
  readonly note?: string | undefined;
}): string => `${at}${by === undefined ? '' : ` ${by}`}${note === undefined ? '' : `: ${note}`}`;

/** The faults with their places, or what a publication would use of the limits of the bus. */
export const checkLines = ({ faults, warnings, limits }: Check): string[] => {
  if (limits === undefined) return faults.map((fault) => sanitize(faultLine(fault)));
  const { rules, withWildcards, pattern, region } = limits;
  return [
    ...warnings.map((one) => `warning: ${sanitize(one)}`),
    `rules on the bus: ${rules.used} of ${rules.most} (${region}); a new version needs one more until the old one is gone`,
    `rules with wildcards: ${withWildcards.used} of ${withWildcards.most}`,
    `pattern: ${pattern.characters} of ${pattern.most} characters`,
  ];
};

/** What differs from the published version, by key; texts of several lines as `-` and `+`. */
export const differenceLines = ({ differences }: Check): string[] =>
  differences.flatMap(({ key, published, given }) =>
    [published, given].some((text) => text?.includes('\n'))
      ? [
          sanitize(key),
          ...changedLines(published ?? '', given ?? '').map(
            (line) => `  ${line[0]} ${sanitize(line.slice(2))}`,
          ),
        ]
      : [
          sanitize(key),
          ...(published === undefined ? [] : [`  - ${sanitize(published)}`]),
          ...(given === undefined ? [] : [`  + ${sanitize(given)}`]),
        ],
  );
