import type * as z from 'zod';
import { type Columns, rowFault } from '../../../core/formats/columns.ts';
import {
  CUSTOMER_COLUMNS,
  customerColumns,
  identifiersOfListed,
  ListedCustomer,
} from '../../../core/formats/customer-list.ts';
import { HISTORY_COLUMNS, HistoryRow, historyColumns } from '../../../core/formats/history-list.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { usableIdentifiers } from '../../../core/identity/normalise.ts';
import { Channel, HISTORY, instant } from '../../../core/interaction/interaction.ts';
import { contentKey, interactionOfReport } from '../../../core/interaction/report.ts';
import type { CustomersParameters, HistoryParameters } from '../../contracts/jobs/kinds.ts';
import type { ImportMessage } from '../../contracts/messages/record.ts';

export type ImportedRow = ImportMessage['rows'][number];
export type Judgement = { readonly row: ImportedRow } | { readonly fault: string };

/** Where a row stands, and what is the same for all rows of a job. */
interface Place<Parameters> {
  readonly job: string;
  readonly by: string;
  readonly line: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly receivedAt: string;
  readonly parameters: Parameters;
  readonly identity: IdentityConfig;
}

/** What a kind of file holds: its columns, and what a row of it becomes. */
export interface Listing<Parameters> {
  readonly columns: Columns;
  /** The columns, for a person. */
  readonly known: string;
  judge(row: unknown, place: Place<Parameters>): Judgement;
}

const DAY_MS = 86_400_000;

const read = <Schema extends z.ZodType>(
  schema: Schema,
  row: unknown,
): { readonly value: z.output<Schema> } | { readonly fault: string } => {
  const result = schema.safeParse(row);
  return result.success ? { value: result.data } : { fault: rowFault(result.error) };
};

/** Why nobody can be known by these identifiers; undefined where somebody can. */
const namesNobody = (identifiers: readonly string[], config: IdentityConfig): string | undefined => {
  if (identifiers.length === 0)
    return 'nothing says who it is: it has no email, phone, user-id or identifier';
  if (usableIdentifiers(identifiers, config).length > 0) return undefined;
  return `none of its identifiers can be used: they are blocked, shared or not of their type (${identifiers.join(', ')})`;
};

export const customers: Listing<CustomersParameters> = {
  columns: customerColumns,
  known: CUSTOMER_COLUMNS,
  judge(raw, { job, by, line, startedAt, parameters, identity }) {
    const listed = read(ListedCustomer, raw);
    if ('fault' in listed) return listed;
    const { name, language, timeZone, stage, tags, traits, preferences, consent = {} } = listed.value;
    const identifiers = identifiersOfListed(listed.value);
    const nobody = namesNobody(identifiers, identity);
    if (nobody !== undefined) return { fault: nobody };
    const listedAt = earlier(parameters.listedAt ?? startedAt, startedAt);
    const answers = Channel.options.flatMap((channel) => {
      const answer = consent[channel];
      return answer === undefined ? [] : [{ channel, ...answer, at: answer.at ?? parameters.consent.at }];
    });
    const late = answers.find(({ at }) => at !== undefined && at > startedAt);
    if (late) return { fault: `consent.${late.channel}.at: ${late.at} lies in the future` };
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
    return { row };
  },
};

const earlier = (one: string, other: string): string => (one < other ? one : other);

const evidenceOf = ({ file, consent }: CustomersParameters, line: number, listedAt: string): string =>
  `${file}, line ${line}, list of ${listedAt.slice(0, 10)}${consent.source === undefined ? '' : `: ${consent.source}`}`;

export const history: Listing<HistoryParameters> = {
  columns: historyColumns,
  known: HISTORY_COLUMNS,
  judge(raw, { startedAt, receivedAt, parameters, identity }) {
    const row = read(HistoryRow, raw);
    if ('fault' in row) return row;
    const { refused: _refused, ...act } = row.value;
    // An answer to a message is found by what it answers.
    const nobody = act.refersTo === undefined ? namesNobody(act.identifiers, identity) : undefined;
    if (nobody !== undefined) return { fault: nobody };
    if (act.occurredAt > instant(Date.parse(startedAt) + DAY_MS))
      return { fault: `occurredAt: ${act.occurredAt} lies in the future` };
    const { account: _none, ...interaction } = {
      ...interactionOfReport(act, contentKey(act)),
      provider: HISTORY,
    };
    const { from } = parameters;
    return {
      row: {
        ...{ type: 'interaction', receivedAt },
        interaction: { ...interaction, ...(from !== undefined && { account: from }) },
      },
    };
  },
};
