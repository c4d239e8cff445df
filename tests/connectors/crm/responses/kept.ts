import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { CrmFault } from '../../../../core/crm/fault.ts';

const Response = z.strictObject({
  provenance: z.string(),
  status: z.int(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional(),
  /** Instead of a body of JSON. */
  text: z.string().optional(),
});
export type Response = z.infer<typeof Response>;

const Kept = z.strictObject({ notice: z.string(), responses: z.record(z.string(), Response) });

/** What a CRM has answered, or answers by its documentation, by the name of the case. */
export const responsesOf = (crm: string): Readonly<Record<string, Response>> => {
  const file = new URL(`./answers/${crm}.json`, import.meta.url);
  return Kept.parse(JSON.parse(readFileSync(file, 'utf8'))).responses;
};

/** What the contract demands of a refusal. */
export type Fault = Pick<CrmFault, 'scope' | 'why'> & {
  readonly field?: string;
  readonly records?: readonly string[];
  /** How long the hub waits, where the CRM or its documentation says it. */
  readonly afterSeconds?: number;
};

/** A fault as a plain value. */
const plain = (fault: unknown): unknown => {
  if (!(fault instanceof CrmFault)) return fault;
  const { scope, why, field, records, retry } = fault;
  return {
    ...{ scope, why },
    ...(field !== undefined && { field }),
    ...(records.length > 0 && { records }),
    ...(typeof retry === 'object' && retry),
  };
};

/** What became of each record: its id or its fault; one entry where the whole call was rejected. */
export const outcomesOf = async (work: Promise<readonly object[]>): Promise<readonly unknown[]> => {
  try {
    return (await work).map((one) =>
      'fault' in one ? plain(one.fault) : 'id' in one ? { id: one.id } : one,
    );
  } catch (error) {
    return [plain(error)];
  }
};

/**
 * The cases of a CRM with what is expected of each; fails where one has no expectation, or an expectation no case. `apart`:
 * those that are tested by themselves.
 */
export const casesOf = <Expected>(
  crm: string,
  expected: Readonly<Record<string, Expected>>,
  apart: readonly string[] | 'others' = [],
): readonly { readonly name: string; readonly response: Response; readonly expected: Expected }[] => {
  const responses = responsesOf(crm);
  const names = [...Object.keys(expected), ...(apart === 'others' ? Object.keys(responses) : apart)];
  const odd = [...Object.keys(responses), ...names].filter(
    (name) => responses[name] === undefined || !names.includes(name),
  );
  if (odd.length > 0) throw new Error(`${crm}: ${odd.join(', ')} have no response or no expectation.`);
  return Object.entries(expected).map(([name, one]) => ({
    ...{ name, expected: one, response: responses[name] ?? { provenance: '', status: 0 } },
  }));
};
