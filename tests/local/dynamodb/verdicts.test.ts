import { beforeAll, beforeEach, expect, it } from 'vitest';
import { bare, type Call } from './call.ts';
import { judgedItems, judgedTable, verdictOf, verdicts } from './verdicts.ts';

// The verdicts are those of the service. `npm run foreign-dynamodb` compares them with AWS's own engine.

let call: Call;
beforeAll(async () => {
  call = bare();
  await call('CreateTable', judgedTable);
});
beforeEach(async () => {
  for (const Item of judgedItems) await call('PutItem', { TableName: judgedTable.TableName, Item });
});

it.each(verdicts)('$about', async ({ operation, input, verdict }) => {
  expect(verdictOf(await call(operation, input))).toBe(verdict);
});
