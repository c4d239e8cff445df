import { expect, it } from 'vitest';
import { dynamodb } from '../../../infra/local/dynamodb/index.ts';
import { serviceContext } from '../../support/service-context.ts';
import { hasBoto3, runBoto3 } from '../boto3.ts';

const script = `
from decimal import Decimal
from boto3.dynamodb.conditions import Key, Attr
from botocore.exceptions import ClientError
resource = boto3.resource('dynamodb', endpoint_url=client.meta.endpoint_url, region_name='eu-south-1',
    aws_access_key_id='AKIATEST', aws_secret_access_key='secret')
out = {}
def code(work):
    try:
        work()
        return None
    except ClientError as error:
        return error.response['Error']['Code']

client.create_table(TableName='songs', BillingMode='PAY_PER_REQUEST',
    AttributeDefinitions=[dict(AttributeName=name, AttributeType=kind) for name, kind in (('artist', 'S'), ('song', 'S'), ('genre', 'S'), ('year', 'N'))],
    KeySchema=[dict(AttributeName='artist', KeyType='HASH'), dict(AttributeName='song', KeyType='RANGE')],
    GlobalSecondaryIndexes=[dict(IndexName='byGenre', Projection=dict(ProjectionType='INCLUDE', NonKeyAttributes=['price']),
        KeySchema=[dict(AttributeName='genre', KeyType='HASH'), dict(AttributeName='year', KeyType='RANGE')])])
client.get_waiter('table_exists').wait(TableName='songs')
table = resource.Table('songs')
out['status'] = table.table_status
out['index'] = table.global_secondary_indexes[0]['IndexStatus']

with table.batch_writer() as batch:
    for at in range(60):
        batch.put_item(Item=dict(artist='a%d' % (at % 3), song='s%02d' % at, genre=('rock', 'jazz')[at % 2], year=1960 + at,
            price=Decimal('1.25'), tags={'x', 'y'}, raw=b'\\x00\\xff', parts=[1, {'two': None}]))
item = table.get_item(Key=dict(artist='a1', song='s01'), ConsistentRead=True)['Item']
out['item'] = [str(item['price']), sorted(item['tags']), item['raw'].value.hex(), int(item['parts'][0]), item['parts'][1]['two']]

out['query'] = [one['song'] for one in table.query(KeyConditionExpression=Key('artist').eq('a0') & Key('song').between('s10', 's30'),
    FilterExpression=Attr('genre').eq('jazz'), ScanIndexForward=False)['Items']]
found = table.query(IndexName='byGenre', KeyConditionExpression=Key('genre').eq('jazz') & Key('year').gt(2010))['Items']
out['byGenre'] = [[int(one['year']), sorted(one)] for one in found]
out['pages'] = [sum(page['Count'] for page in client.get_paginator('scan').paginate(TableName='songs', PaginationConfig=dict(PageSize=7))),
    len(list(client.get_paginator('query').paginate(TableName='songs', KeyConditionExpression='artist = :a',
        ExpressionAttributeValues={':a': dict(S='a0')}, PaginationConfig=dict(PageSize=5))))]
out['segments'] = sum(table.scan(Segment=at, TotalSegments=4, Select='COUNT')['Count'] for at in range(4))
answer = resource.batch_get_item(RequestItems=dict(songs=dict(Keys=[dict(artist='a0', song='s00'), dict(artist='a0', song='none')])))
out['batch'] = [len(answer['Responses']['songs']), answer['UnprocessedKeys']]

out['refused'] = code(lambda: table.put_item(Item=dict(artist='a0', song='s00'), ConditionExpression=Attr('artist').not_exists()))
out['updated'] = int(table.update_item(Key=dict(artist='a0', song='s00'), UpdateExpression='SET plays = if_not_exists(plays, :zero) + :n',
    ExpressionAttributeValues={':zero': 0, ':n': 3}, ReturnValues='UPDATED_NEW')['Attributes']['plays'])
write = [dict(Update=dict(TableName='songs', Key=dict(artist=dict(S='a0'), song=dict(S='s00')), UpdateExpression='ADD plays :n',
            ExpressionAttributeValues={':n': dict(N='1')})),
    dict(ConditionCheck=dict(TableName='songs', Key=dict(artist=dict(S='a9'), song=dict(S='none')), ConditionExpression='attribute_exists(artist)'))]
try:
    client.transact_write_items(TransactItems=write)
except client.exceptions.TransactionCanceledException as error:
    out['cancelled'] = [one['Code'] for one in error.response['CancellationReasons']]
client.transact_write_items(TransactItems=write[:1], ClientRequestToken='token')
client.transact_write_items(TransactItems=write[:1], ClientRequestToken='token')
out['mismatch'] = code(lambda: client.transact_write_items(TransactItems=write, ClientRequestToken='token'))
out['plays'] = client.transact_get_items(TransactItems=[dict(Get=dict(TableName='songs', Key=dict(artist=dict(S='a0'), song=dict(S='s00')),
    ProjectionExpression='plays'))])['Responses'][0]['Item']
client.update_time_to_live(TableName='songs', TimeToLiveSpecification=dict(AttributeName='gone', Enabled=True))
out['ttl'] = client.describe_time_to_live(TableName='songs')['TimeToLiveDescription']['TimeToLiveStatus']
table.delete()
client.get_waiter('table_not_exists').wait(TableName='songs')
out['gone'] = client.list_tables()['TableNames']
print(json.dumps(out))
`;

it.runIf(hasBoto3)(
  'answers boto3: tables, waiters, conditions, paginators, batches, transactions',
  async () => {
    expect(await runBoto3(dynamodb(serviceContext()), 'dynamodb', script)).toEqual({
      status: 'ACTIVE',
      index: 'ACTIVE',
      item: ['1.25', ['x', 'y'], '00ff', 1, null],
      query: ['s27', 's21', 's15'],
      byGenre: [2011, 2013, 2015, 2017, 2019].map((year) => [
        year,
        ['artist', 'genre', 'price', 'song', 'year'],
      ]),
      pages: [60, 5],
      segments: 60,
      batch: [1, {}],
      refused: 'ConditionalCheckFailedException',
      updated: 3,
      cancelled: ['None', 'ConditionalCheckFailed'],
      mismatch: 'IdempotentParameterMismatchException',
      plays: { plays: { N: '4' } },
      ttl: 'ENABLED',
      gone: [],
    });
  },
);
