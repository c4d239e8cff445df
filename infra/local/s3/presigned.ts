import { createHash, createHmac } from 'node:crypto';
import { ServiceError } from '../protocol/json.ts';
import type { AwsRequest } from '../protocol/service.ts';

/**
 * Checks the signature of a presigned URL. `secretOf`: the secret of an access key; undefined for one that the runtime did not
 * issue, whose signature nobody can check. @throws ServiceError `SignatureDoesNotMatch`.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export const expectOwnSignature = (
  request: Pick<AwsRequest, 'method' | 'path' | 'query' | 'headers'>,
  secretOf: (accessKey: string) => string | undefined,
): void => {
  const query = new URLSearchParams(request.query);
  const signature = query.get('X-Amz-Signature');
  if (signature === null) return;
  const [accessKey = '', ...scope] = (query.get('X-Amz-Credential') ?? '').split('/');
  const secret = secretOf(accessKey);
  if (secret === undefined) return;
  const signed = stringToSign(request, query, scope);
  const [day = '', region = '', service = '', end = ''] = scope;
  const key = [day, region, service, end].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  if (hmac(key, signed).toString('hex') !== signature)
    throw new ServiceError(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      403,
    );
};

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

const stringToSign = (
  { method, path, headers }: Pick<AwsRequest, 'method' | 'path' | 'headers'>,
  query: URLSearchParams,
  scope: readonly string[],
): string => {
  const names = (query.get('X-Amz-SignedHeaders') ?? '').split(';');
  const fields = [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  const canonical = [
    ...[method, path, fields.toSorted().join('&')],
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/gu, ' ')}`),
    ...['', names.join(';'), 'UNSIGNED-PAYLOAD'],
  ].join('\n');
  const digest = createHash('sha256').update(canonical).digest('hex');
  return ['AWS4-HMAC-SHA256', query.get('X-Amz-Date') ?? '', scope.join('/'), digest].join('\n');
};

const encoded = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
