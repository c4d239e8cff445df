import type * as z from 'zod';
import { type Columns, rowFault } from '../../../core/formats/lists/columns.ts';
import {
  CUSTOMER_COLUMNS,
  customerColumns,
  identifiersOfListed,
  ListedCustomer,
} from '../../../core/formats/lists/customer-list.ts';
import { HISTORY_COLUMNS, HistoryRow, historyColumns } from '../../../core/formats/lists/history-list.ts';
import { readPinpointEndpoint } from '../../../core/formats/pinpoint-endpoint.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { Channel, HISTORY, instant } from '../../../core/interaction/interaction.ts';
import { contentKey, interactionOfReport } from '../../../core/interaction/report.ts';
import type { CustomersParameters, HistoryParameters } from '../../contracts/jobs/kinds.ts';
import type { ImportMessage } from '../../contracts/messages/record.ts';
import { checkIdentifiers, hasLostDigits } from './identifiers.ts';

export type ImportedRow = ImportMessage['rows'][number];
/** A row as it is sent, and what of it is not taken; or why the row is refused. */
export type RowResult =
  | { readonly row: ImportedRow; readonly omitted: readonly string[] }
  | { readonly fault: string };

/** The line of a row, and the values that all rows of a job share. */
interface RowContext<Parameters> {
  readonly job: string;
  readonly by: string;
  readonly line: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly receivedAt: string;
  readonly parameters: Parameters;
  readonly identity: IdentityConfig;
}

/** The columns of one kind of file, and the conversion of its rows to messages. */
export interface Listing<Parameters> {
  readonly columns: Columns;
  /** The names of the columns, as text for error messages. */
  readonly columnNames: string;
  validate(row: unknown, context: RowContext<Parameters>): RowResult;
}

const DAY_MS = 86_400_000;

const parseRow = <Schema extends z.ZodType>(
  schema: Schema,
  row: unknown,
): { readonly value: z.output<Schema> } | { readonly fault: string } => {
  const result = schema.safeParse(row);
  return result.success ? { value: result.data } : { fault: rowFault(result.error) };
};

export const customers: Listing<CustomersParameters> = {
  columns: customerColumns,
  columnNames: CUSTOMER_COLUMNS,
  validate(raw, { job, by, line, startedAt, parameters, identity }) {
    const reading = readPinpointEndpoint(raw) ?? { value: raw, omitted: [] };
    if ('fault' in reading) return reading;
    const listed = parseRow(ListedCustomer, reading.value);
    if ('fault' in listed) return listed;
    const { name, language, timeZone, stage, tags, traits, preferences, consent = {} } = listed.value;
    const {
      usable: identifiers,
      omitted,
      fault,
    } = checkIdentifiers(identifiersOfListed(listed.value), identity);
    if (fault !== undefined) return { fault };
    const listedAt = earlierInstant(parameters.listedAt ?? startedAt, startedAt);
    const answers = Channel.options.flatMap((channel) => {
      const answer = consent[channel];
      return answer === undefined ? [] : [{ channel, ...answer, at: answer.at ?? parameters.consent.at }];
    });
    const future = answers.find(({ at }) => at !== undefined && at > startedAt);
    if (future) return { fault: `consent.${future.channel}.at: ${future.at} is in the future` };
    const undated = answers.filter(({ at }) => at === undefined).map(({ channel }) => channel);
    const row: ImportedRow = {
      ...{ type: 'command', command: 'import', id: `import:${job}:${line}`, at: startedAt, by, identifiers },
      profile: { name, language, timeZone, stage, tags, traits },
      preferences,
      consent: Object.fromEntries(answers.map(({ channel, status }) => [channel, status])),
      ...(answers.length > 0 && {
        answeredAt: Object.fromEntries(answers.map(({ channel, at }) => [channel, at ?? listedAt])),
        evidence: evidenceOf(parameters, line, listedAt),
      }),
      ...(undated.length > 0 && { undated }),
      ...(parameters.toCrms && { toCrms: true }),
    };
    return { row, omitted: [...reading.omitted, ...omitted] };
  },
};

const earlierInstant = (one: string, other: string): string => (one < other ? one : other);

const evidenceOf = ({ file, consent }: CustomersParameters, line: number, listedAt: string): string =>
  `${file}, line ${line}, list of ${listedAt.slice(0, 10)}${consent.source === undefined ? '' : `: ${consent.source}`}`;

export const history: Listing<HistoryParameters> = {
  columns: historyColumns,
  columnNames: HISTORY_COLUMNS,
  validate(raw, { startedAt, receivedAt, parameters, identity }) {
    const row = parseRow(HistoryRow, raw);
    if ('fault' in row) return row;
    const { refused: _refused, ...rest } = row.value;
    const { omitted, fault } = checkIdentifiers(rest.identifiers, identity);
    const report = { ...rest, identifiers: rest.identifiers.filter((one) => !hasLostDigits(one)) };
    // A status or a reply names its message instead of a customer.
    if (fault !== undefined && report.refersTo === undefined) return { fault };
    if (report.occurredAt > instant(Date.parse(startedAt) + DAY_MS))
      return { fault: `occurredAt: ${report.occurredAt} is in the future` };
    const { account: _none, ...interaction } = {
      ...interactionOfReport(report, contentKey(report)),
      provider: HISTORY,
    };
    const { from } = parameters;
    return {
      row: {
        ...{ type: 'interaction', receivedAt },
        interaction: { ...interaction, ...(from !== undefined && { account: from }) },
      },
      omitted,
    };
  },
};
