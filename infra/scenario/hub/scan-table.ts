import {
  type AttributeValue,
  DynamoDBClient,
  ScanCommand,
  type ScanCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import type { Row } from '../../../functions/contracts/rows/row.ts';
import type { Runtime } from '../../../functions/contracts/runtime.ts';

/** The rows of the hub's table in DynamoDB's JSON, by a scan of all its pages. */
export async function* scanItems(runtime: Runtime): AsyncGenerator<Record<string, AttributeValue>> {
  const client = new DynamoDBClient(clientConfig(runtime));
  let start: ScanCommandOutput['LastEvaluatedKey'];
  do {
    const page: ScanCommandOutput = await client.send(
      new ScanCommand({
        TableName: runtime.env['TABLE'],
        ConsistentRead: true,
        ...(start && { ExclusiveStartKey: start }),
      }),
    );
    yield* page.Items ?? [];
    start = page.LastEvaluatedKey;
  } while (start);
}

/** Every row of the hub's table. */
export const scanTable = async (runtime: Runtime): Promise<Row[]> => {
  const rows: Row[] = [];
  for await (const item of scanItems(runtime)) {
    const row = unmarshall(item);
    rows.push({ ...row, pk: String(row['pk']), sk: String(row['sk']) });
  }
  return rows;
};
