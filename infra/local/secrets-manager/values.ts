import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import type { Secret, SecretStore, Value } from './store.ts';

const LARGEST_BYTES = 65_536;

/** The fields of a request that writes a value. */
export const contentFields = {
  SecretString: z.string().optional(),
  SecretBinary: z.base64().optional(),
  ClientRequestToken: z.string().min(32).max(64).optional(),
};
export interface Content {
  readonly SecretString?: string | undefined;
  readonly SecretBinary?: string | undefined;
}

/** The value of a request. @throws ServiceError where it has none, has two, or is too large. */
export const secretValue = (content: Content): Value => {
  const { SecretString: text = null, SecretBinary: binary = null } = content;
  if ((text === null) === (binary === null))
    throw new ServiceError(
      'InvalidParameterException',
      'You must provide either SecretString or SecretBinary, and not both.',
    );
  if (Buffer.byteLength(text ?? Buffer.from(binary ?? '', 'base64')) > LARGEST_BYTES)
    throw new ServiceError('ValidationException', `A secret value has at most ${LARGEST_BYTES} bytes.`);
  return { text, binary };
};

/**
 * Adds a version with this id and these staging labels; the same version again changes nothing.
 *
 * @throws ServiceError `ResourceExistsException` where a version with this id has another value.
 */
export const addVersion = (
  store: SecretStore,
  name: string,
  content: Content,
  version: { readonly id: string; readonly createdAt: number; readonly stages: readonly string[] },
): void => {
  const { id, createdAt, stages } = version;
  const value = secretValue(content);
  const present = store.version(name, id);
  if (present && (present.text !== value.text || present.binary !== value.binary))
    throw new ServiceError(
      'ResourceExistsException',
      "You can't use ClientRequestToken more than once with different content: a version with this id exists.",
    );
  if (!present) store.add(name, { id, ...value, createdAt }, stages);
};

/** The response of GetSecretValue: the version with an id, or the one with a staging label, by default `AWSCURRENT`. */
export const describedValue = (
  store: SecretStore,
  { name, arn }: Secret,
  {
    VersionId,
    VersionStage,
  }: { readonly VersionId?: string | undefined; readonly VersionStage?: string | undefined },
): object => {
  const stage = VersionStage ?? (VersionId === undefined ? 'AWSCURRENT' : undefined);
  const id = VersionId ?? (stage && store.staged(name, stage));
  const version = id === undefined ? undefined : store.version(name, id);
  if (version === undefined)
    throw versionNotFound(VersionId === undefined ? `staging label: ${stage}` : `VersionId: ${VersionId}`);
  const stages = store.stages(name, version.id);
  if (stage !== undefined && !stages.includes(stage)) throw versionNotFound(`staging label: ${stage}`);
  return {
    ARN: arn,
    Name: name,
    VersionId: version.id,
    ...(version.text !== null && { SecretString: version.text }),
    ...(version.binary !== null && { SecretBinary: version.binary }),
    VersionStages: stages,
    CreatedDate: version.createdAt / 1000,
  };
};

const versionNotFound = (which: string): ServiceError =>
  new ServiceError(
    'ResourceNotFoundException',
    `Secrets Manager can't find the specified secret value for ${which}`,
  );
