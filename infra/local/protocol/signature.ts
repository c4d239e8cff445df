import type { AwsRequest } from './service.ts';

/** The access key and the service in the credential scope of a signature, or of a presigned URL; empty texts without one. */
export const credentialOf = ({
  headers,
  query,
}: Pick<AwsRequest, 'headers' | 'query'>): { readonly accessKey: string; readonly service: string } => {
  const scope =
    /Credential=([^,\s]+)/u.exec(headers['authorization'] ?? '')?.[1] ??
    new URLSearchParams(query).get('X-Amz-Credential') ??
    '';
  const [accessKey = '', , , service = ''] = scope.split('/');
  return { accessKey, service };
};

/** The response to a request without a service, or for a service that does not run. */
export const unknownService = (
  message: string,
): {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
} => ({
  status: 400,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ __type: 'UnknownService', message }),
});
