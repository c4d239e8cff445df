import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  NoSuchKey,
  NotFound,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { signedCalls } from '../../../functions/aws/clients/signed.ts';
import { accessKeyOf, LOCAL_SECRET } from '../../../infra/local/iam/access-key.ts';
import { s3 } from '../../../infra/local/s3/index.ts';
import { clientOf, serviceContext } from '../../support/service-context.ts';

const Bucket = 'files';
const md5 = (text: string | Uint8Array): string => createHash('md5').update(text).digest('hex');

const open = async (config: S3ClientConfig = { forcePathStyle: true }) => {
  const around = serviceContext();
  const service = s3(around);
  const client = new S3Client({ ...clientOf(service), ...config });
  await client.send(new CreateBucketCommand({ Bucket }));
  const put = (Key: string, Body: PutObjectCommandInput['Body'] = Key, more = {}) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const get = (Key: string, more: Partial<GetObjectCommandInput> = {}) =>
    client.send(new GetObjectCommand({ Bucket, Key, ...more }));
  const text = async (Key: string, more: Partial<GetObjectCommandInput> = {}) =>
    (await get(Key, more)).Body?.transformToString();
  const list = (more: Partial<ListObjectsV2CommandInput> = {}) =>
    client.send(new ListObjectsV2Command({ Bucket, ...more }));
  return { ...around, service, client, put, get, text, list };
};

describe('objects', () => {
  it.each([
    ['path style', { forcePathStyle: true }],
    ['the bucket in the host', { forcePathStyle: false }],
  ])('come back as they were written: %s', async (_, config) => {
    const { put, get, client } = await open(config);
    const written = await put('a dir/ü+&?#%.txt', 'Grüße', {
      ContentType: 'text/plain; charset=utf-8',
      CacheControl: 'no-cache',
      Metadata: { source: 'twilio' },
    });
    expect(written.ETag).toBe(`"${md5('Grüße')}"`);
    const found = await get('a dir/ü+&?#%.txt');
    expect(await found.Body?.transformToString()).toBe('Grüße');
    expect(found).toMatchObject({
      ContentType: 'text/plain; charset=utf-8',
      CacheControl: 'no-cache',
      ContentLength: 7,
      ETag: written.ETag,
      Metadata: { source: 'twilio' },
      LastModified: new Date('2026-03-01T09:00:00Z'),
      ServerSideEncryption: 'AES256',
    });
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'a dir/ü+&?#%.txt' }));
    expect(head).toMatchObject({ ContentLength: 7, ETag: written.ETag, Metadata: { source: 'twilio' } });
  });

  it('take streams, which clients send in chunks with a checksum behind them', async () => {
    const { service, put, get } = await open();
    const seen: string[] = [];
    const { handle } = service;
    service.handle = (request, caller) => {
      seen.push(request.headers['content-encoding'] ?? '');
      return handle(request, caller);
    };
    const bytes = Buffer.alloc(200_000, 'abc');
    await put('stream', Readable.from([bytes.subarray(0, 70_000), bytes.subarray(70_000)]), {
      ContentLength: bytes.length,
      ContentType: 'text/plain',
    });
    expect(seen).toContain('aws-chunked');
    const found = await get('stream', { ChecksumMode: 'ENABLED' });
    expect(md5((await found.Body?.transformToByteArray()) ?? '')).toBe(md5(bytes));
    expect(found.ChecksumCRC32).toMatch(/^[\w+/]{6}==$/u);
    expect(found.ContentEncoding).toBeUndefined();
  });

  it('are refused when a digest does not fit', async () => {
    const { put, list } = await open();
    const wrong = { name: 'BadDigest' };
    await expect(put('a', 'x', { ChecksumCRC32: 'AAAAAA==' })).rejects.toMatchObject(wrong);
    await expect(put('a', 'x', { ChecksumSHA256: `${'A'.repeat(43)}=` })).rejects.toMatchObject(wrong);
    await expect(put('a', 'x', { ContentMD5: `${'A'.repeat(22)}==` })).rejects.toMatchObject(wrong);
    expect((await list()).KeyCount).toBe(0);
  });

  it('are read in part', async () => {
    const { put, get, text } = await open();
    await put('digits', '0123456789');
    const part = await get('digits', { Range: 'bytes=2-4' });
    expect([await part.Body?.transformToString(), part.ContentRange, part.ContentLength]).toEqual([
      '234',
      'bytes 2-4/10',
      3,
    ]);
    expect(await text('digits', { Range: 'bytes=7-' })).toBe('789');
    expect(await text('digits', { Range: 'bytes=-2' })).toBe('89');
    expect(await text('digits', { Range: 'bytes=8-99' })).toBe('89');
    await expect(get('digits', { Range: 'bytes=10-' })).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  it('are written on conditions', async () => {
    const { put, text, client } = await open();
    const first = await put('a', 'one', { IfNoneMatch: '*' });
    const failed = { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } };
    await expect(put('a', 'two', { IfNoneMatch: '*' })).rejects.toMatchObject(failed);
    const second = await put('a', 'two', { IfMatch: first.ETag });
    await expect(put('a', 'three', { IfMatch: first.ETag })).rejects.toMatchObject(failed);
    await expect(put('b', 'x', { IfMatch: first.ETag })).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await text('a')).toBe('two');
    await expect(text('a', { IfMatch: first.ETag })).rejects.toMatchObject(failed);
    await expect(text('a', { IfNoneMatch: second.ETag })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    });
    const remove = (IfMatch?: string) =>
      client.send(new DeleteObjectCommand({ Bucket, Key: 'a', ...(IfMatch && { IfMatch }) }));
    await expect(remove(first.ETag)).rejects.toMatchObject(failed);
    await remove(second.ETag);
    await remove();
    await expect(text('a')).rejects.toThrow(NoSuchKey);
    await expect(client.send(new HeadObjectCommand({ Bucket, Key: 'a' }))).rejects.toThrow(NotFound);
  });

  it('are removed many at once', async () => {
    const { client, put, list } = await open();
    for (const key of ['a', 'b & <c>', 'd']) await put(key);
    const { Deleted } = await client.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: { Objects: [{ Key: 'a' }, { Key: 'b & <c>' }, { Key: 'never' }] },
      }),
    );
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['a', 'b & <c>', 'never']);
    expect((await list()).Contents?.map(({ Key }) => Key)).toEqual(['d']);
  });
});

describe('listings', () => {
  const keys = ['a/1', 'a/2', 'a/b/3', 'b', 'c/4', 'ä', 'z&<>'];

  it('go in the order of bytes, by page, by prefix', async () => {
    const { put, list } = await open();
    for (const key of keys.toReversed()) await put(key);
    const seen: (string | undefined)[] = [];
    let token: string | undefined;
    do {
      const page = await list({ MaxKeys: 3, ...(token !== undefined && { ContinuationToken: token }) });
      seen.push(...(page.Contents ?? []).map(({ Key }) => Key));
      expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined);
      token = page.NextContinuationToken;
    } while (token !== undefined);
    expect(seen).toEqual(['a/1', 'a/2', 'a/b/3', 'b', 'c/4', 'z&<>', 'ä']);
    const prefixed = await list({ Prefix: 'a/', StartAfter: 'a/1' });
    expect(prefixed.Contents?.map(({ Key }) => Key)).toEqual(['a/2', 'a/b/3']);
    const whole = await list({ MaxKeys: 7 });
    expect([whole.IsTruncated, whole.KeyCount]).toEqual([false, 7]);
  });

  it('name what is below a delimiter once, on whichever page', async () => {
    const { client, put, list } = await open();
    for (const key of keys) await put(key);
    const names = [];
    let token: string | undefined;
    do {
      const page = await list({
        Delimiter: '/',
        MaxKeys: 1,
        ...(token !== undefined && { ContinuationToken: token }),
      });
      names.push(
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
        ...(page.Contents ?? []).map(({ Key }) => Key),
      );
      token = page.NextContinuationToken;
    } while (token !== undefined);
    expect(names).toEqual(['a/', 'b', 'c/', 'z&<>', 'ä']);
    const below = await list({ Delimiter: '/', Prefix: 'a/' });
    expect([below.Contents?.map(({ Key }) => Key), below.CommonPrefixes]).toEqual([
      ['a/1', 'a/2'],
      [{ Prefix: 'a/b/' }],
    ]);
    const first = await client.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 1 }));
    expect([first.CommonPrefixes, first.NextMarker]).toEqual([[{ Prefix: 'a/' }], 'a/']);
    const second = await client.send(
      new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 1, Marker: first.NextMarker }),
    );
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(['b']);
  });
});

describe('uploads in parts', () => {
  const openWithUpload = async () => {
    const opened = await open();
    const { client } = opened;
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ Bucket, Key: 'big', ContentType: 'video/mp4' }),
    );
    const address = { Bucket, Key: 'big', UploadId };
    const part = async (PartNumber: number, Body: Uint8Array) => ({
      PartNumber,
      ETag: (await client.send(new UploadPartCommand({ ...address, PartNumber, Body }))).ETag,
    });
    const complete = (Parts: { PartNumber: number; ETag: string | undefined }[]) =>
      client.send(new CompleteMultipartUploadCommand({ ...address, MultipartUpload: { Parts } }));
    return { ...opened, address, part, complete };
  };

  it('become one object', async () => {
    const { get, part, complete } = await openWithUpload();
    const [one, two] = [Buffer.alloc(5 * 1024 * 1024, 'a'), Buffer.from('the end')];
    const second = await part(2, two);
    const first = await part(1, one);
    await expect(complete([second, first])).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    await expect(complete([{ ...first, ETag: '"0"' }, second])).rejects.toMatchObject({
      name: 'InvalidPart',
    });
    const { ETag } = await complete([first, second]);
    const digest = md5(Buffer.concat([one, two].map((bytes) => Buffer.from(md5(bytes), 'hex'))));
    expect(ETag).toBe(`"${digest}-2"`);
    const found = await get('big');
    expect(found).toMatchObject({ ETag, ContentType: 'video/mp4', ContentLength: one.length + two.length });
    expect(md5((await found.Body?.transformToByteArray()) ?? '')).toBe(md5(Buffer.concat([one, two])));
    await expect(complete([first, second])).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  it('refuse small parts before the last, and leave nothing when given up', async () => {
    const { client, list, address, part, complete } = await openWithUpload();
    const parts = [await part(1, Buffer.from('small')), await part(2, Buffer.from('x'))];
    await expect(complete(parts)).rejects.toMatchObject({ name: 'EntityTooSmall' });
    await client.send(new AbortMultipartUploadCommand(address));
    await expect(part(3, Buffer.from('x'))).rejects.toMatchObject({ name: 'NoSuchUpload' });
    expect((await list()).KeyCount).toBe(0);
  });
});

describe('buckets', () => {
  it('are made once, listed, and removed when empty', async () => {
    const { client, put } = await open();
    const create = (name: string) => client.send(new CreateBucketCommand({ Bucket: name }));
    await expect(create(Bucket)).rejects.toMatchObject({ name: 'BucketAlreadyOwnedByYou' });
    await expect(create('Not-Valid')).rejects.toMatchObject({ name: 'InvalidBucketName' });
    await put('a');
    await expect(client.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({
      name: 'BucketNotEmpty',
    });
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    const { Buckets } = await client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual([Bucket]);
    await client.send(new HeadBucketCommand({ Bucket }));
    await client.send(new DeleteBucketCommand({ Bucket }));
    await expect(client.send(new HeadBucketCommand({ Bucket }))).rejects.toThrow(NotFound);
    await expect(put('a')).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });

  it('refuse what the local S3 does not implement', async () => {
    const { client, put } = await open();
    await put('a');
    await expect(client.send(new GetObjectAclCommand({ Bucket, Key: 'a' }))).rejects.toThrow(
      /does not support the operation GetObjectAcl/u,
    );
  });
});

it('opens an address presigned with a key of its own as it was signed, and not otherwise', async () => {
  const { service, clock, put } = await open();
  await put('a b.csv', 'a,b');
  const { presign } = signedCalls({
    random: () => 0,
    env: {
      ...{ AWS_REGION: 'eu-south-1', AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:4566' },
      ...{ AWS_ACCESS_KEY_ID: accessKeyOf('jobs'), AWS_SECRET_ACCESS_KEY: LOCAL_SECRET },
    },
  });
  const url = new URL(await presign('s3', { method: 'GET', path: '/files/a%20b.csv' }, 60));
  // The signer takes the time of the machine.
  const signedAt = (url.searchParams.get('X-Amz-Date') ?? '').replace(
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u,
    '$1-$2-$3T$4:$5:$6Z',
  );
  await clock.runUntil(Date.parse(signedAt));
  const ask = async (method: string, path: string, query: string) => {
    const headers = { host: url.host };
    const caller = { accessKeyId: accessKeyOf('jobs'), arn: 'arn:aws:iam::123456789012:role/test' };
    const { status, body } = await service.handle(
      { method, path, query, headers, body: Buffer.from('') },
      caller,
    );
    return [status, /<Code>(\w+)/u.exec(Buffer.from(body).toString())?.[1]];
  };
  const query = url.search.slice(1);
  expect(await ask('GET', url.pathname, query)).toEqual([200, undefined]);
  const refused = [403, 'SignatureDoesNotMatch'];
  expect(await ask('PUT', url.pathname, query)).toEqual(refused);
  expect(await ask('GET', '/files/other.csv', query)).toEqual(refused);
  expect(await ask('GET', url.pathname, query.replace('Expires=60', 'Expires=600'))).toEqual(refused);
  expect(await ask('GET', url.pathname, `${query}&response-content-type=text%2Fhtml`)).toEqual(refused);
});

it('refuses more than 2 KB of metadata, and a condition on a write that S3 does not have', async () => {
  const { put } = await open();
  await put('a', 'a', { Metadata: { k: 'x'.repeat(2047) } });
  await expect(put('a', 'a', { Metadata: { k: 'x'.repeat(2048) } })).rejects.toMatchObject({
    name: 'MetadataTooLarge',
    $metadata: { httpStatusCode: 400 },
  });
  await expect(put('b', 'b', { IfNoneMatch: '"etag"' })).rejects.toMatchObject({
    name: 'NotImplemented',
    $metadata: { httpStatusCode: 501 },
  });
});

it('opens presigned addresses until they expire', async () => {
  const { service, clock } = await open();
  const ask = (method: string, query: string, body = '') =>
    service.handle(
      {
        method,
        path: '/files/report.csv',
        query: `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20260301%2Feu-south-1%2Fs3%2Faws4_request&X-Amz-Date=20260301T090000Z&X-Amz-Signature=0&${query}`,
        headers: { host: '127.0.0.1:4566' },
        body: Buffer.from(body),
      },
      { accessKeyId: 'A', arn: 'arn:aws:iam::123456789012:role/test' },
    );
  expect((await ask('PUT', 'X-Amz-Expires=60&x-amz-meta-job=7', 'a,b')).status).toBe(200);
  const disposition = encodeURIComponent('attachment; filename="r.csv"');
  const found = await ask('GET', `X-Amz-Expires=60&response-content-disposition=${disposition}`);
  expect([found.status, Buffer.from(found.body).toString(), found.headers]).toEqual([
    200,
    'a,b',
    expect.objectContaining({
      'x-amz-meta-job': '7',
      'content-disposition': 'attachment; filename="r.csv"',
    }),
  ]);
  await clock.runUntil(clock.now() + 60_001);
  const late = await ask('GET', 'X-Amz-Expires=60');
  expect([late.status, Buffer.from(late.body).toString()]).toEqual([
    403,
    expect.stringContaining('Request has expired'),
  ]);
  expect((await ask('GET', 'X-Amz-Expires=700000')).status).toBe(400);
});

it('keeps objects over a restart', async () => {
  const { put, ...around } = await open();
  await put('a', 'one');
  const again = new S3Client({ ...clientOf(s3(around)), forcePathStyle: true });
  const { Body } = await again.send(new GetObjectCommand({ Bucket, Key: 'a' }));
  expect(await Body?.transformToString()).toBe('one');
});

describe('a lifecycle', () => {
  it('takes objects below a prefix away when their days are over, at midnight', async () => {
    const around = serviceContext();
    const client = new S3Client({ ...clientOf(s3(around)), forcePathStyle: true });
    const Bucket = 'files';
    await client.send(new CreateBucketCommand({ Bucket }));
    const rule = (Status: 'Enabled' | 'Disabled', Prefix: string, Days: number) => ({
      Status,
      Filter: { Prefix },
      Expiration: { Days },
    });
    await client.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: { Rules: [rule('Enabled', 'a%_/', 2), rule('Disabled', 'b/', 1)] },
      }),
    );
    for (const Key of ['a%_/1', 'axy/1', 'b/1'])
      await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const keys = async () =>
      (await client.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key);
    await around.clock.runUntil(Date.parse('2026-03-03T23:59:59Z'));
    expect(await keys()).toEqual(['a%_/1', 'axy/1', 'b/1']);
    await around.clock.runUntil(Date.parse('2026-03-04T00:00:00Z'));
    expect(await keys()).toEqual(['axy/1', 'b/1']);
    await expect(client.send(new GetObjectCommand({ Bucket, Key: 'a%_/1' }))).rejects.toThrow(NoSuchKey);
  });
});

describe('tags', () => {
  const tagsOf = async (client: S3Client, Key: string) =>
    (await client.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet;

  it('are written with an object or after it, and are no part of its headers', async () => {
    const { client, put, get } = await open();
    await put('a', 'one', { Tagging: 'uncommitted=true&of=a%20b' });
    expect(await tagsOf(client, 'a')).toEqual([
      { Key: 'uncommitted', Value: 'true' },
      { Key: 'of', Value: 'a b' },
    ]);
    expect(await get('a')).toMatchObject({ TagCount: 2, ContentLength: 3 });
    const Tagging = { TagSet: [{ Key: 'k', Value: '<v>' }] };
    await client.send(new PutObjectTaggingCommand({ Bucket, Key: 'a', Tagging }));
    expect(await tagsOf(client, 'a')).toEqual(Tagging.TagSet);
    await client.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'a' }));
    expect(await tagsOf(client, 'a')).toEqual([]);
    expect((await get('a')).TagCount).toBeUndefined();
    await put('a', 'two');
    expect(await tagsOf(client, 'a')).toEqual([]);
  });

  it.each([
    ['eleven', Array.from({ length: 11 }, (_, n) => `k${n}=v`).join('&'), 'BadRequest'],
    ['one key twice', 'a=1&a=2', 'InvalidTag'],
    ['no key', '=1', 'InvalidTag'],
    ['a long key', `${'k'.repeat(129)}=1`, 'InvalidTag'],
    ['a long value', `k=${'v'.repeat(257)}`, 'InvalidTag'],
  ])('are refused: %s', async (_, Tagging, name) => {
    const { put, list } = await open();
    await expect(put('a', 'x', { Tagging })).rejects.toMatchObject({ name });
    expect((await list()).KeyCount).toBe(0);
  });

  it('of an absent object are refused', async () => {
    const { client } = await open();
    const absent = { name: 'NoSuchKey' };
    await expect(tagsOf(client, 'a')).rejects.toMatchObject(absent);
    const untag = client.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'a' }));
    await expect(untag).rejects.toMatchObject(absent);
  });

  it('let a lifecycle take away only the objects that have one, by the time they were written', async () => {
    const { client, put, list, clock } = await open();
    const Filter = { Tag: { Key: 'uncommitted', Value: 'true' } };
    const Rules = [{ Status: 'Enabled' as const, Filter, Expiration: { Days: 1 } }];
    await client.send(
      new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }),
    );
    await put('committed', 'x', { Tagging: 'uncommitted=true' });
    await put('other', 'x', { Tagging: 'uncommitted=true2&xuncommitted=true' });
    await put('second', 'x', { Tagging: 'a=b&uncommitted=true' });
    await put('untagged', 'x');
    await clock.runUntil(Date.parse('2026-03-02T12:00:00Z'));
    await client.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'committed' }));
    await clock.runUntil(Date.parse('2026-03-03T00:00:00Z'));
    expect((await list()).Contents?.map(({ Key }) => Key)).toEqual(['committed', 'other', 'untagged']);
  });
});
