import { text as readAll } from 'node:stream/consumers';
import * as z from 'zod';
import type { ChannelConnector } from '../../core/webhooks/channel.ts';
import { askHidden } from '../terminal/ask.ts';
import type { SecretValues } from './secret-values.ts';

type NewValues = Readonly<Record<string, readonly string[]>>;

/**
 * The new values of secret fields: from the environment, else from standard input (lines FIELD=VALUE), else
 * asked for on the terminal. A field without a value is left out.
 */
export const askSecretValues = async (
  { secrets }: Pick<ChannelConnector, 'secrets'>,
  stored: SecretValues | undefined,
): Promise<NewValues> => {
  const fields = Object.keys(secrets);
  const fromEnvironment = environmentValues(fields);
  if (Object.keys(fromEnvironment).length > 0) return fromEnvironment;
  if (!process.stdin.isTTY) return lineValues(await readAll(process.stdin), fields);
  const answers = await askHidden(
    Object.entries(secrets).map(([field, { about, optional }]) => {
      const mayBeEmpty = optional === true || stored?.[field] !== undefined;
      return `${field}: ${about}${mayBeEmpty ? ' (leave empty to keep)' : ''}: `;
    }),
  );
  return Object.fromEntries(
    fields.flatMap((field, position) => {
      const answer = answers[position] ?? '';
      return answer === '' ? [] : [[field, valueList(answer)]];
    }),
  );
};

/** The variable that holds a part of a secret: HUB_SECRET_AUTH_TOKEN for authToken. */
export const environmentVariable = (field: string): string =>
  `HUB_SECRET_${field.replace(/([a-z0-9])([A-Z])/gu, '$1_$2').toUpperCase()}`;

const environmentValues = (fields: readonly string[]): NewValues =>
  Object.fromEntries(
    fields.flatMap((field) => {
      const value = process.env[environmentVariable(field)] ?? '';
      return value === '' ? [] : [[field, valueList(value)]];
    }),
  );

const lineValues = (text: string, fields: readonly string[]): NewValues =>
  Object.fromEntries(
    text.split(/\r?\n/u).flatMap((line) => {
      const at = line.indexOf('=');
      const field = line.slice(0, at).trim();
      return at > 0 && fields.includes(field) ? [[field, valueList(line.slice(at + 1).trim())]] : [];
    }),
  );

const TextList = z.array(z.string());

/** `["one","two"]` is several values; any other text is one value. */
const valueList = (text: string): readonly string[] => {
  if (!text.startsWith('[')) return [text];
  try {
    return TextList.parse(JSON.parse(text));
  } catch {
    return [text];
  }
};
