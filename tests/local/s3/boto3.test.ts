import { expect, it } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { s3 } from '../../../infra/local/s3/index.ts';
import { serviceContext } from '../../support/service-context.ts';
import { hasBoto3, runBoto3 } from '../boto3.ts';

const clock = systemClock((error) => {
  throw error;
});

it.skipIf(!hasBoto3)('serves a client of another language', async () => {
  const printed = await runBoto3(
    s3({ ...serviceContext(), clock }),
    's3',
    `
import io, urllib.request
client.create_bucket(Bucket='files', CreateBucketConfiguration={'LocationConstraint': 'eu-south-1'})
client.put_object(Bucket='files', Key='a b/ü.txt', Body='Grüße'.encode(), Metadata={'n': '1'})
got = client.get_object(Bucket='files', Key='a b/ü.txt')
client.upload_fileobj(io.BytesIO(b'x' * (9 << 20)), 'files', 'big')
big = client.get_object(Bucket='files', Key='big')['Body'].read()
for i in range(25): client.put_object(Bucket='files', Key=f'many/{i:02}', Body=b'')
pages = [len(p['Contents']) for p in client.get_paginator('list_objects_v2').paginate(
    Bucket='files', Prefix='many/', PaginationConfig={'PageSize': 10})]
top = client.list_objects_v2(Bucket='files', Delimiter='/')
address = client.generate_presigned_url('get_object', Params={'Bucket': 'files', 'Key': 'a b/ü.txt'}, ExpiresIn=60)
upload = client.generate_presigned_url('put_object', Params={'Bucket': 'files', 'Key': 'up'}, ExpiresIn=60)
urllib.request.urlopen(urllib.request.Request(upload, data=b'pushed', method='PUT'))
codes = []
for call in [lambda: client.get_object(Bucket='files', Key='none'), lambda: client.head_object(Bucket='files', Key='none'),
             lambda: client.put_object(Bucket='none', Key='a'), lambda: client.put_object(Bucket='files', Key='big', Body=b'', IfNoneMatch='*')]:
    try: call()
    except client.exceptions.ClientError as error: codes.append(error.response['Error']['Code'])
print(json.dumps({'text': got['Body'].read().decode(), 'meta': got['Metadata'], 'big': len(big), 'pages': pages,
    'top': [[c['Key'] for c in top['Contents']], [p['Prefix'] for p in top['CommonPrefixes']]],
    'presigned': urllib.request.urlopen(address).read().decode(),
    'pushed': client.get_object(Bucket='files', Key='up')['Body'].read().decode(), 'codes': codes}))
`,
  );
  expect(printed).toEqual({
    text: 'Grüße',
    meta: { n: '1' },
    big: 9 * 2 ** 20,
    pages: [10, 10, 5],
    top: [['big'], ['a b/', 'many/']],
    presigned: 'Grüße',
    pushed: 'pushed',
    codes: ['NoSuchKey', '404', 'NoSuchBucket', 'PreconditionFailed'],
  });
});
