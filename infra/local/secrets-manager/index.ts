import * as z from 'zod';
import { answerJson, jsonOperation, type Operation, ServiceError } from '../protocol/json.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';
import { Password, password } from './password.ts';
import { type Secret, SecretStore } from './store.ts';
import { addVersion, contentFields, describedValue, secretValue } from './values.ts';

const Id = z.looseObject({ SecretId: z.string() });
const CreateInput = z.looseObject({
  ...contentFields,
  Name: z.string(),
  Description: z.string().optional(),
  Tags: z.array(z.object({ Key: z.string(), Value: z.string() })).default([]),
});
const PutInput = z.looseObject({
  ...contentFields,
  SecretId: z.string(),
  VersionStages: z.array(z.string()).min(1).default(['AWSCURRENT']),
});
const GetInput = z.looseObject({
  SecretId: z.string(),
  VersionId: z.string().optional(),
  VersionStage: z.string().optional(),
});
const ListInput = z.looseObject({
  MaxResults: z.int().min(1).max(100).default(100),
  NextToken: z.string().default(''),
  Filters: z
    .array(z.strictObject({ Key: z.literal('name'), Values: z.array(z.string().min(1)).min(1).max(10) }))
    .max(10)
    .default([]),
});
const DeleteInput = z.looseObject({
  SecretId: z.string(),
  RecoveryWindowInDays: z.int().min(7).max(30).optional(),
  ForceDeleteWithoutRecovery: z.boolean().default(false),
});
const DAY_MS = 86_400_000;

/** The local Secrets Manager: secrets with versions, and versions with staging labels. */
export const secretsManager = (context: ServiceContext): AwsService => {
  const store = new SecretStore(context.db);
  const operations: Readonly<Record<string, Operation>> = {
    ...valueOperations(context, store),
    ...secretOperations(context, store),
    GetRandomPassword: (input) => ({ RandomPassword: password(Password.parse(input), context.random) }),
  };
  return {
    signingName: 'secretsmanager',
    operation: jsonOperation,
    handle: (request) => answerJson(request, '1.1', operations),
  };
};

/** Operations that write or read values. */
const valueOperations = (
  { clock, newId, region, account }: ServiceContext,
  store: SecretStore,
): Readonly<Record<string, Operation>> => ({
  CreateSecret(input) {
    const { Name, ClientRequestToken, Description = null, Tags: tags, ...content } = CreateInput.parse(input);
    const present = expectCreatable(store, Name, ClientRequestToken, clock.now());
    const hasValue = content.SecretString !== undefined || content.SecretBinary !== undefined;
    if (hasValue) secretValue(content);
    const arn =
      present?.arn ?? `arn:aws:secretsmanager:${region}:${account}:secret:${Name}-${newId().slice(-6)}`;
    const createdAt = clock.now();
    if (!present) store.create({ name: Name, arn, description: Description, tags, createdAt });
    if (!hasValue) return { ARN: arn, Name };
    const VersionId = ClientRequestToken ?? newId();
    addVersion(store, Name, content, { id: VersionId, createdAt, stages: ['AWSCURRENT'] });
    return { ARN: arn, Name, VersionId };
  },
  PutSecretValue(input) {
    const { SecretId, ClientRequestToken, VersionStages, ...content } = PutInput.parse(input);
    const { name, arn } = expectActive(store, SecretId, clock.now());
    const VersionId = ClientRequestToken ?? newId();
    addVersion(store, name, content, { id: VersionId, createdAt: clock.now(), stages: VersionStages });
    return { ARN: arn, Name: name, VersionId, VersionStages: store.stages(name, VersionId) };
  },
  GetSecretValue(input) {
    const { SecretId, ...version } = GetInput.parse(input);
    return describedValue(store, expectActive(store, SecretId, clock.now()), version);
  },
});

/** Operations on secrets without their values. */
const secretOperations = (
  { clock }: ServiceContext,
  store: SecretStore,
): Readonly<Record<string, Operation>> => ({
  DescribeSecret: (input) => described(store, expectSecret(store, Id.parse(input).SecretId, clock.now())),
  ListSecrets(input) {
    const { MaxResults, NextToken, Filters } = ListInput.parse(input);
    const all = store
      .all(clock.now())
      .filter(
        ({ name, deletedAt }) =>
          name > NextToken &&
          deletedAt === null &&
          Filters.every(({ Values }) => Values.some((value) => name.startsWith(value))),
      );
    const page = all.slice(0, MaxResults);
    return {
      SecretList: page.map((secret) => {
        const { VersionIdsToStages, ...entry } = described(store, secret);
        return { ...entry, SecretVersionsToStages: VersionIdsToStages };
      }),
      ...(all.length > page.length && { NextToken: page.at(-1)?.name }),
    };
  },
  DeleteSecret(input) {
    const { SecretId, RecoveryWindowInDays, ForceDeleteWithoutRecovery } = DeleteInput.parse(input);
    if (ForceDeleteWithoutRecovery && RecoveryWindowInDays !== undefined)
      throw new ServiceError(
        'InvalidParameterException',
        "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
      );
    const now = clock.now();
    const secret = ForceDeleteWithoutRecovery
      ? expectSecret(store, SecretId, now)
      : expectActive(store, SecretId, now);
    const days = ForceDeleteWithoutRecovery ? 0 : (RecoveryWindowInDays ?? 30);
    const deletedAt = now + days * DAY_MS;
    if (days === 0) store.remove(secret.name);
    else store.setDeletion(secret.name, deletedAt, now);
    return { ARN: secret.arn, Name: secret.name, DeletionDate: deletedAt / 1000 };
  },
  RestoreSecret(input) {
    const { arn, name } = expectSecret(store, Id.parse(input).SecretId, clock.now());
    store.setDeletion(name, null, clock.now());
    return { ARN: arn, Name: name };
  },
});

const expectSecret = (store: SecretStore, id: string, now: number): Secret => {
  const secret = store.find(id, now);
  if (secret === undefined)
    throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  return secret;
};

/** @throws ServiceError where the secret does not exist or is scheduled for deletion. */
const expectActive = (store: SecretStore, id: string, now: number): Secret => {
  const secret = expectSecret(store, id, now);
  if (secret.deletedAt === null) return secret;
  throw new ServiceError(
    'InvalidRequestException',
    "You can't perform this operation on the secret because it was marked for deletion.",
  );
};

/** Returns the present secret where this request has created it before. @throws ServiceError where the name is invalid or taken. */
const expectCreatable = (
  store: SecretStore,
  name: string,
  token: string | undefined,
  now: number,
): Secret | undefined => {
  if (!/^[\w/+=.@!-]{1,512}$/u.test(name))
    throw new ServiceError(
      'ValidationException',
      'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
    );
  const present = store.find(name, now);
  if (present && present.deletedAt !== null)
    throw new ServiceError(
      'InvalidRequestException',
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  if (present && (token === undefined || !store.version(name, token)))
    throw new ServiceError(
      'ResourceExistsException',
      `The operation failed because the secret ${name} already exists.`,
    );
  return present;
};

const described = (store: SecretStore, secret: Secret) => ({
  ARN: secret.arn,
  Name: secret.name,
  ...(secret.description !== null && { Description: secret.description }),
  CreatedDate: secret.createdAt / 1000,
  LastChangedDate: secret.changedAt / 1000,
  ...(secret.deletedAt !== null && { DeletedDate: secret.deletedAt / 1000 }),
  Tags: secret.tags,
  VersionIdsToStages: Object.fromEntries(
    store
      .versions(secret.name)
      .map(({ id }) => [id, store.stages(secret.name, id)] as const)
      .filter(([, stages]) => stages.length > 0),
  ),
});
