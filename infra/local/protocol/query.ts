import { asServiceError, ServiceError } from './json.ts';
import type { AwsRequest, AwsResponse } from './service.ts';

export type QueryOperation = (input: URLSearchParams) => string | Promise<string>;

/** The fields of a query request, in its body or in its query string. */
const formOf = ({ body, query }: AwsRequest): URLSearchParams =>
  new URLSearchParams(body.byteLength === 0 ? query : Buffer.from(body).toString());

/** The operation of an AWS query request: the form field `Action`. */
export const queryOperation = (request: AwsRequest): string => formOf(request).get('Action') ?? '';

export const escapeXml = (text: string): string =>
  text.replace(/[&<>"'\r]/gu, (character) => `&#${character.codePointAt(0)};`);

/** Answers an AWS query request. An operation returns the XML of its result element. */
export const answerQuery = async (
  request: AwsRequest,
  namespace: string,
  operations: Readonly<Record<string, QueryOperation>>,
): Promise<AwsResponse> => {
  const form = formOf(request);
  const name = form.get('Action') ?? '';
  const headers = { 'content-type': 'text/xml' };
  const metadata = `<RequestId>${crypto.randomUUID()}</RequestId>`;
  try {
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (operation === undefined)
      throw new ServiceError(
        'InvalidAction',
        `The local runtime does not support the action ${JSON.stringify(name)}.`,
      );
    const result = await operation(form);
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

/** The structures `Name.member.1.Field`, … of a list, or `Name.entry.1.Field`, … of a map, by their fields. */
export const structuresOf = (
  input: URLSearchParams,
  name: string,
  kind: 'member' | 'entry' = 'member',
): Record<string, string>[] => {
  const found: Record<string, string>[] = [];
  const prefix = `${name}.${kind}.`;
  for (const [key, value] of input) {
    if (!key.startsWith(prefix)) continue;
    const [, position, field] = /^(\d+)\.(.+)$/u.exec(key.slice(prefix.length)) ?? [];
    if (position === undefined || field === undefined) continue;
    const at = Number(position) - 1;
    found[at] = { ...found[at], [field]: value };
  }
  return found.filter((one) => one !== undefined);
};

/** A map of texts: `Name.entry.1.key=…&Name.entry.1.value=…`. */
export const mapOf = (input: URLSearchParams, name: string): Record<string, string> =>
  Object.fromEntries(structuresOf(input, name, 'entry').map(({ key = '', value = '' }) => [key, value]));

/** A required field. @throws ServiceError `ValidationError`. */
export const need = (input: URLSearchParams, name: string): string => {
  const value = input.get(name);
  if (value !== null && value !== '') return value;
  throw new ServiceError('ValidationError', `The request must contain the parameter ${name}.`);
};

/** `<tag>text</tag>`, escaped; an absent text is an absent element. */
export const element = (tag: string, text: string | number | null | undefined): string =>
  text === null || text === undefined ? '' : `<${tag}>${escapeXml(String(text))}</${tag}>`;

/** `<tag><member>…</member>…</tag>`; the members are XML. */
export const members = (tag: string, list: readonly string[]): string =>
  `<${tag}>${list.map((one) => `<member>${one}</member>`).join('')}</${tag}>`;

/** `<tag><entry><key>…</key><value>…</value></entry>…</tag>`. */
export const mapXml = (tag: string, map: Readonly<Record<string, string>>): string =>
  `<${tag}>${Object.entries(map)
    .map(([key, value]) => `<entry>${element('key', key)}${element('value', value)}</entry>`)
    .join('')}</${tag}>`;

/** The structures of a list, each as its own form: `Name.member.2.Field=…` becomes `Field=…` of the second. */
export const entriesOf = (input: URLSearchParams, name: string): URLSearchParams[] => {
  const found: URLSearchParams[] = [];
  for (const [key, value] of input) {
    const [, position, field] =
      /^\.member\.(\d{1,4})\.(.+)$/u.exec(key.startsWith(name) ? key.slice(name.length) : '') ?? [];
    if (position === undefined || field === undefined) continue;
    const at = Number(position) - 1;
    found[at] ??= new URLSearchParams();
    found[at].set(field, value);
  }
  return found.filter((one) => one !== undefined);
};
