import { asServiceError, ServiceError } from './json.ts';
import type { AwsRequest, AwsResponse } from './service.ts';

export type QueryOperation = (input: URLSearchParams) => string | Promise<string>;

/** The operation of an AWS query request: the form field `Action`. */
export const queryOperation = (request: AwsRequest): string =>
  new URLSearchParams(Buffer.from(request.body).toString()).get('Action') ?? '';

export const escapeXml = (text: string): string =>
  text.replace(/[&<>"']/gu, (character) => `&#${character.codePointAt(0)};`);

/** Answers an AWS query request; an operation returns the XML inside its result element. */
export const answerQuery = async (
  request: AwsRequest,
  namespace: string,
  operations: Readonly<Record<string, QueryOperation>>,
): Promise<AwsResponse> => {
  const name = queryOperation(request);
  const headers = { 'content-type': 'text/xml' };
  const metadata = `<RequestId>${crypto.randomUUID()}</RequestId>`;
  try {
    const operation = operations[name];
    if (operation === undefined)
      throw new ServiceError(
        'InvalidAction',
        `The local runtime does not know the action ${JSON.stringify(name)}.`,
      );
    const result = await operation(new URLSearchParams(Buffer.from(request.body).toString()));
    const body = `<${name}Response xmlns="${namespace}"><${name}Result>${result}</${name}Result><ResponseMetadata>${metadata}</ResponseMetadata></${name}Response>`;
    return { status: 200, headers, body };
  } catch (error) {
    const { type, message, status } = asServiceError(error);
    const body = `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${escapeXml(type)}</Code><Message>${escapeXml(message)}</Message></Error>${metadata}</ErrorResponse>`;
    return { status, headers, body };
  }
};

/** The values of `Name.member.1`, `Name.member.2`, … */
export const listOf = (input: URLSearchParams, name: string): string[] => {
  const values: string[] = [];
  for (let at = 1; ; at++) {
    const value = input.get(`${name}.member.${at}`);
    if (value === null) return values;
    values.push(value);
  }
};
