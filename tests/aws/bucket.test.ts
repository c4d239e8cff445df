import { describe, expect, it } from 'vitest';
import { bucket } from '../../functions/aws/clients/bucket.ts';

const env = {
  ...{ AWS_REGION: 'eu-south-1', AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'secret' },
  BUCKET: 'hub',
};

interface Asked {
  readonly request: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A bucket whose S3 answers with `answers` in turn, and what it was asked. */
const bucketThat = (...answers: readonly Response[]) => {
  const asked: Asked[] = [];
  let next = 0;
  const aws = {
    requestHandler: {} as never,
    fetch: async (request: Request): Promise<Response> => {
      const { pathname, search } = new URL(request.url);
      asked.push({
        request: `${request.method} ${pathname}${search}`,
        headers: request.headers,
        body: await request.text(),
      });
      return answers[next++] ?? new Response('');
    },
  };
  return { files: bucket({ env, aws, random: () => 0 }), asked };
};

const refusal = (status: number, code: string): Response =>
  new Response(`<Error><Code>${code}</Code><Message>No.</Message></Error>`, { status });
/** An answer for each attempt of a request. */
const three = (answer: () => Response): Response[] => [answer(), answer(), answer()];
const begun = (): Response =>
  new Response('<InitiateMultipartUploadResult><UploadId>u&amp;1</UploadId></InitiateMultipartUploadResult>');
const part = (etag: string): Response => new Response('', { headers: { etag } });
const completed = (): Response =>
  new Response('<CompleteMultipartUploadResult><ETag>"all"</ETag></CompleteMultipartUploadResult>');
/** S3's documented answer where it fails after it has sent the status. */
const failedAfterStatus = (): Response =>
  new Response(
    '<?xml version="1.0" encoding="UTF-8"?>\n\n<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message></Error>',
  );

const MIB = 1024 * 1024;
async function* bytesOf(...sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield new Uint8Array(size);
}

const fault = { code: 'bucket-fault', retry: 'later' };

describe('keys', () => {
  it('are encoded the same way in every request', async () => {
    const { files, asked } = bucketThat(
      ...[new Response(''), new Response('x'), new Response(null), new Response(null, { status: 204 })],
    );
    const key = 'mail/a b+c/ä#1?';
    await files.put(key, 'x');
    await files.get(key);
    await files.has(key);
    await files.remove(key);
    expect(new Set(asked.map(({ request }) => request.split(' ')[1]))).toEqual(
      new Set(['/hub/mail/a%20b%2Bc/%C3%A4%231%3F']),
    );
    expect(new URL(await files.presign('GET', key, 60)).pathname).toBe('/hub/mail/a%20b%2Bc/%C3%A4%231%3F');
  });
});

describe('an object', () => {
  const all = (): Response => new Response('abc');

  it('is written whole, with its type, else as bytes', async () => {
    const { files, asked } = bucketThat();
    await files.put('key', 'abc', 'text/plain');
    await files.put('key', Buffer.from('abc'));
    expect(asked.map(({ request, body }) => [request, body])).toEqual([
      ['PUT /hub/key', 'abc'],
      ['PUT /hub/key', 'abc'],
    ]);
    expect(asked.map(({ headers }) => headers.get('content-type'))).toEqual([
      'text/plain',
      'application/octet-stream',
    ]);
  });

  it('is read, opened, looked for and removed', async () => {
    const { files, asked } = bucketThat(
      all(),
      all(),
      new Response(null),
      new Response(null, { status: 204 }),
    );
    expect(await files.get('key')).toEqual(Buffer.from('abc'));
    expect(await (await files.open('key'))?.text()).toBe('abc');
    expect(await files.has('key')).toBe(true);
    await files.remove('key');
    expect(asked.map(({ request }) => request.split(' ')[0])).toEqual(['GET', 'GET', 'HEAD', 'DELETE']);
    expect(await bucketThat(all()).files.getRange('key', 0, 3)).toMatchObject({ size: 3 });
  });

  it('is read in a range of which both ends are included', async () => {
    const { files, asked } = bucketThat(
      new Response('bcd', { status: 206, headers: { 'content-range': 'bytes 10-12/1234' } }),
      all(),
      new Response('abc', { headers: { 'content-range': 'bytes 0-2/*' } }),
    );
    expect(await files.getRange('key', 10, 3)).toEqual({ bytes: Buffer.from('bcd'), size: 1234 });
    expect(asked[0]?.request).toBe('GET /hub/key');
    expect(asked[0]?.headers.get('range')).toBe('bytes=10-12');
    // Without a total, what was sent is the whole.
    expect(await files.getRange('key', 0, 3)).toEqual({ bytes: Buffer.from('abc'), size: 3 });
    expect(await files.getRange('key', 0, 3)).toEqual({ bytes: Buffer.from('abc'), size: 3 });
  });

  it('that cannot be read is an error that names the request, never an absent one', async () => {
    for (const use of [
      (files: ReturnType<typeof bucket>) => files.get('key'),
      (files: ReturnType<typeof bucket>) => files.getRange('key', 0, 3),
      (files: ReturnType<typeof bucket>) => files.has('key'),
    ]) {
      const { files } = bucketThat(...three(() => refusal(503, 'SlowDown')));
      await expect(use(files)).rejects.toMatchObject({
        ...fault,
        message: expect.stringMatching(/503 SlowDown.*(GET|HEAD) key/u),
      });
    }
    const { files } = bucketThat(...three(() => refusal(500, 'InternalError')));
    await expect(files.remove('key')).rejects.toMatchObject({
      message: expect.stringMatching(/500 InternalError.*DELETE key/u),
    });
  });

  it('has a link of some seconds, which may change the headers of the answer', async () => {
    const { files, asked } = bucketThat();
    const link = new URL(
      await files.presign('GET', 'key', 60, { 'response-content-disposition': 'attachment' }),
    );
    expect(Object.fromEntries(link.searchParams)).toMatchObject({
      ...{ 'X-Amz-Expires': '60', 'response-content-disposition': 'attachment' },
      ...{
        'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
        'X-Amz-Signature': expect.stringMatching(/^[\da-f]{64}$/u),
      },
      'X-Amz-Credential': expect.stringMatching(/^AKIATEST\/\d{8}\/eu-south-1\/s3\/aws4_request$/u),
    });
    const put = new URL(await files.presign('PUT', 'key', 60));
    expect(put.searchParams.get('X-Amz-Signature')).not.toBe(link.searchParams.get('X-Amz-Signature'));
    expect(asked).toEqual([]);
  });
});

describe('an object that is absent', () => {
  it.each([404, 403])('is undefined where S3 answers %i', async (status) => {
    const { files } = bucketThat(...[1, 2, 3, 4].map(() => refusal(status, 'NoSuchKey')));
    expect(await files.get('key')).toBeUndefined();
    expect(await files.open('key')).toBeUndefined();
    expect(await files.getRange('key', 0, 10)).toBeUndefined();
    expect(await files.has('key')).toBe(false);
  });

  it('is passed over where it is to be kept, but a missing permission is not', async () => {
    const { files, asked } = bucketThat(refusal(404, 'NoSuchKey'), refusal(403, 'AccessDenied'));
    await files.keep('key');
    await expect(files.keep('key')).rejects.toMatchObject({
      ...fault,
      message: expect.stringMatching(/403 AccessDenied.*DELETE key/u),
    });
    expect(asked.map(({ request }) => request)).toEqual(Array(2).fill('DELETE /hub/key?tagging='));
  });

  it('is no reason to take a write for done', async () => {
    const { files } = bucketThat(refusal(404, 'NoSuchBucket'));
    await expect(files.put('key', 'x')).rejects.toMatchObject(fault);
  });
});

it('reads a range with the size of the whole, and an empty object as empty', async () => {
  const { files } = bucketThat(
    new Response('bc', { status: 206, headers: { 'content-range': 'bytes 1-2/6' } }),
    refusal(416, 'InvalidRange'),
  );
  expect(await files.getRange('key', 1, 2)).toEqual({ bytes: Buffer.from('bc'), size: 6 });
  expect(await files.getRange('key', 0, 2)).toEqual({ bytes: Buffer.alloc(0), size: 0 });
});

it.each([
  ['a refusal', () => refusal(503, 'SlowDown')],
  ['an answer that is no list', failedAfterStatus],
])('does not take %s for an empty list', async (_, answer) => {
  const { files } = bucketThat(answer());
  await expect(files.list('mail/', '')).rejects.toMatchObject(fault);
});

it('lists keys without their XML escapes, after a key', async () => {
  const { files, asked } = bucketThat(
    new Response(
      '<ListBucketResult><Contents><Key>a&amp;b&#x41;</Key><LastModified>2026-03-01T09:00:00Z</LastModified></Contents></ListBucketResult>',
    ),
    new Response('<ListBucketResult></ListBucketResult>'),
  );
  expect(await files.list('a', '')).toEqual([{ key: 'a&bA', modifiedAt: '2026-03-01T09:00:00Z' }]);
  expect(await files.list('a', 'a&bA')).toEqual([]);
  expect(asked.map(({ request }) => request)).toEqual([
    'GET /hub?list-type=2&prefix=a',
    'GET /hub?list-type=2&prefix=a&start-after=a%26bA',
  ]);
});

describe('an upload', () => {
  it('of one part is one request', async () => {
    const { files, asked } = bucketThat(new Response(''));
    await files.uploadUncommitted('key', bytesOf(3, 4), 'text/plain');
    expect(asked.map(({ request }) => request)).toEqual(['PUT /hub/key']);
  });

  it('of more parts names each by its number and ETag', async () => {
    const { files, asked } = bucketThat(begun(), part('"one"'), part('"two"'), completed());
    await files.uploadUncommitted('key', bytesOf(5 * MIB, 5 * MIB), 'text/plain');
    expect(asked.map(({ request }) => request)).toEqual([
      'POST /hub/key?uploads=',
      'PUT /hub/key?partNumber=1&uploadId=u%261',
      'PUT /hub/key?partNumber=2&uploadId=u%261',
      'POST /hub/key?uploadId=u%261',
    ]);
    expect(asked.map(({ body }) => body.length).slice(1, 3)).toEqual([8 * MIB, 2 * MIB]);
    expect(asked[3]?.body).toBe(
      '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"one"</ETag></Part><Part><PartNumber>2</PartNumber><ETag>"two"</ETag></Part></CompleteMultipartUpload>',
    );
  });

  it.each([
    [
      'an <Error> in the 200 of its completion',
      () => [begun(), part('"one"'), part('"two"'), failedAfterStatus()],
    ],
    ['a part without an ETag', () => [begun(), new Response('')]],
    ['a begin without an id', () => [new Response('')]],
    ['a refusal', () => [begun(), refusal(503, 'SlowDown')]],
  ])('fails on %s', async (_, answers) => {
    const { files } = bucketThat(...answers());
    await expect(files.uploadUncommitted('key', bytesOf(9 * MIB), 'text/plain')).rejects.toMatchObject(fault);
  });

  it('over several invocations fails on an <Error> in the 200 of its completion, too', async () => {
    const { files } = bucketThat(failedAfterStatus());
    await expect(files.completeUpload('key', 'upload', ['"one"'])).rejects.toMatchObject(fault);
  });

  it('holds the bytes that were given, however they are cut', async () => {
    const { files, asked } = bucketThat(begun(), part('"one"'), part('"two"'), completed());
    const letters = async function* (): AsyncGenerator<Uint8Array> {
      for (const letter of 'abcde') yield Buffer.alloc(2 * MIB, letter);
    };
    await files.uploadUncommitted('key', letters(), 'text/plain');
    const [one = '', two = ''] = asked.slice(1, 3).map(({ body }) => body);
    expect(`${one}${two}` === [...'abcde'].map((letter) => letter.repeat(2 * MIB)).join('')).toBe(true);
    expect(asked[0]?.headers.get('content-type')).toBe('text/plain');
  });

  it('that S3 does not begin, or whose part it does not name, ends there', async () => {
    const unbegun = bucketThat(new Response(''), part('"one"'), part('"two"'), completed());
    await expect(
      unbegun.files.uploadUncommitted('key', bytesOf(9 * MIB), 'text/plain'),
    ).rejects.toMatchObject(fault);
    expect(unbegun.asked).toHaveLength(1);
    const unnamed = bucketThat(begun(), new Response(''), part('"two"'), completed());
    await expect(
      unnamed.files.uploadUncommitted('key', bytesOf(9 * MIB), 'text/plain'),
    ).rejects.toMatchObject(fault);
    expect(unnamed.asked).toHaveLength(2);
  });

  it('whose bytes end in an error is never completed', async () => {
    const { files, asked } = bucketThat(begun(), part('"one"'));
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(9 * MIB);
      throw new Error('the provider hung up');
    };
    await expect(files.uploadUncommitted('key', broken(), 'text/plain')).rejects.toThrow(
      'the provider hung up',
    );
    expect(asked.at(-1)?.request).toBe('PUT /hub/key?partNumber=1&uploadId=u%261');
  });
});
