import { DynamoDBClient, ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import type { Row } from '../../../functions/contracts/rows/row.ts';
import type { Runtime } from '../../../functions/contracts/runtime.ts';

/** Every row of the hub's table, by a scan of all its pages. */
export const scanTable = async (runtime: Runtime): Promise<Row[]> => {
  const client = new DynamoDBClient(clientConfig(runtime));
  const rows: Row[] = [];
  let start: ScanCommandOutput['LastEvaluatedKey'];
  do {
    const page: ScanCommandOutput = await client.send(
      new ScanCommand({ TableName: runtime.env['TABLE'], ...(start && { ExclusiveStartKey: start }) }),
    );
    for (const item of page.Items ?? []) {
      const row = unmarshall(item);
      rows.push({ ...row, pk: String(row['pk']), sk: String(row['sk']) });
    }
    start = page.LastEvaluatedKey;
  } while (start);
  return rows;
};
