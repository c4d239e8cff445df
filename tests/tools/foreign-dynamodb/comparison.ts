import * as z from 'zod';
import { compare, type Difference, endpoint } from '../../../infra/local/dynamodb/comparison/compare.ts';
import { bare } from '../../local/dynamodb/call.ts';
import {
  differsInDynamodbLocal,
  judgedItems,
  judgedTable,
  verdictOf,
  verdicts,
} from '../../local/dynamodb/verdicts.ts';
import type { Tally } from './stories.ts';

/** An engine's calls with a key of their own, which DynamoDB Local gives a database of its own. */
const callsTo = (url: string, key: string) =>
  endpoint(url, { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: 'local' });

/** Holds the verdicts of our own tests against a foreign engine, where it is not known to differ from the service. */
export const judgeVerdicts = async (url: string): Promise<Tally> => {
  const call = callsTo(url, 'VERDICTS');
  await call('CreateTable', judgedTable);
  const lines: string[] = [];
  for (const { about, operation, input, verdict } of verdicts) {
    for (const Item of judgedItems) await call('PutItem', { TableName: judgedTable.TableName, Item });
    const answered = verdictOf(await call(operation, input));
    const expected = differsInDynamodbLocal[about] ?? verdict;
    if (answered !== expected) lines.push(`${about}: expected ${expected}, answered ${answered}`);
  }
  return { passed: verdicts.length - lines.length, total: verdicts.length, lines };
};

const Compared = z.object({ error: z.string() });
const UpdateReturns = z.object({ ReturnValues: z.enum(['UPDATED_OLD', 'UPDATED_NEW']) });

/**
 * DynamoDB Local refuses the request where the service cancels a transaction because of an item's content, and it returns
 * whole attributes where an update of several has changed a part of one.
 */
const isKnownLack = ({ operation, input, ours, theirs }: Difference): boolean =>
  (Compared.safeParse(ours).data?.error === 'TransactionCanceledException' &&
    Compared.safeParse(theirs).data?.error === 'ValidationException') ||
  (operation === 'UpdateItem' &&
    UpdateReturns.safeParse(input).success &&
    !Compared.safeParse(ours).success &&
    !Compared.safeParse(theirs).success);

/** Runs random operations on our engine and on a foreign one. */
export const compareEngines = async (
  url: string,
  options: { readonly operations: number; readonly seed: number },
): Promise<Tally> => {
  const compared = await compare(bare(), callsTo(url, 'COMPARISON'), options);
  const { operations } = compared;
  const differences = compared.differences.filter((one) => !isKnownLack(one));
  return {
    passed: operations - differences.length,
    total: operations,
    lines: differences.map(
      ({ operation, input, ours, theirs }) =>
        `${operation} ${JSON.stringify(input)}\n  ours   ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(theirs)}`,
    ),
  };
};
