import * as z from 'zod';
import { answerJson, jsonOperation, type Operation, ServiceError } from '../protocol/json.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';
import { Password, password } from './password.ts';
import { type Secret, SecretStore, type Value } from './store.ts';

const Id = z.looseObject({ SecretId: z.string() });
const Tags = z.array(z.object({ Key: z.string(), Value: z.string() }));
const Content = {
  SecretString: z.string().optional(),
  SecretBinary: z.base64().optional(),
  ClientRequestToken: z.string().min(32).max(64).optional(),
};
const Create = z.looseObject({
  ...Content,
  Name: z.string(),
  Description: z.string().optional(),
  Tags: Tags.default([]),
});
const Put = z.looseObject({
  ...Content,
  SecretId: z.string(),
  VersionStages: z.array(z.string()).min(1).default(['AWSCURRENT']),
});
const Update = z.looseObject({ ...Content, SecretId: z.string(), Description: z.string().optional() });
const Get = z.looseObject({
  SecretId: z.string(),
  VersionId: z.string().optional(),
  VersionStage: z.string().optional(),
});
const Page = { MaxResults: z.int().min(1).max(100).default(100), NextToken: z.string().default('') };
const Filters = z
  .array(
    z.strictObject({
      Key: z.enum(['name', 'description', 'tag-key', 'tag-value', 'all']),
      Values: z.array(z.string().min(1)).min(1).max(10),
    }),
  )
  .max(10)
  .default([]);
const Delete = z.looseObject({
  SecretId: z.string(),
  RecoveryWindowInDays: z.int().min(7).max(30).optional(),
  ForceDeleteWithoutRecovery: z.boolean().default(false),
});
const Move = z.looseObject({
  SecretId: z.string(),
  VersionStage: z.string(),
  RemoveFromVersionId: z.string().optional(),
  MoveToVersionId: z.string().optional(),
});
const DAY_MS = 86_400_000;
const LARGEST_BYTES = 65_536;

/** Secrets Manager on one machine: values in versions, versions under staging labels. */
export const secretsManager = (surroundings: ServiceContext): AwsService => {
  const { db, clock, newId, region, account } = surroundings;
  const store = new SecretStore(db);

  const find = (id: string): Secret => {
    const secret = store.find(id, clock.now());
    if (secret === undefined)
      throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    return secret;
  };
  const expectLive = (id: string): Secret => {
    const secret = find(id);
    if (secret.deletedAt === null) return secret;
    throw new ServiceError(
      'InvalidRequestException',
      "You can't perform this operation on the secret because it was marked for deletion.",
    );
  };
  const add = (
    name: string,
    content: { SecretString?: string | undefined; SecretBinary?: string | undefined },
    { token, stages }: { token: string | undefined; stages: readonly string[] },
  ): string => {
    const value = contentOf(content);
    const id = token ?? newId();
    const present = store.version(name, id);
    if (present && (present.text !== value.text || present.binary !== value.binary)) {
      throw new ServiceError(
        'ResourceExistsException',
        "You can't use ClientRequestToken more than once with different content: a version with this id exists.",
      );
    }
    if (!present) store.add(name, { id, ...value, createdAt: clock.now() }, stages);
    return id;
  };

  const operations: Record<string, Operation> = {
    CreateSecret(input) {
      const { Name, ClientRequestToken, Description = null, Tags: tags, ...content } = Create.parse(input);
      expectName(Name);
      const present = store.find(Name, clock.now());
      if (present && present.deletedAt !== null) {
        throw new ServiceError(
          'InvalidRequestException',
          "You can't create this secret because a secret with this name is already scheduled for deletion.",
        );
      }
      if (present && (ClientRequestToken === undefined || !store.version(Name, ClientRequestToken))) {
        throw new ServiceError(
          'ResourceExistsException',
          `The operation failed because the secret ${Name} already exists.`,
        );
      }
      const filled = content.SecretString !== undefined || content.SecretBinary !== undefined;
      if (filled) contentOf(content);
      const arn =
        present?.arn ?? `arn:aws:secretsmanager:${region}:${account}:secret:${Name}-${newId().slice(-6)}`;
      if (!present) store.create({ name: Name, arn, description: Description, tags, createdAt: clock.now() });
      return {
        ARN: arn,
        Name,
        ...(filled && {
          VersionId: add(Name, content, { token: ClientRequestToken, stages: ['AWSCURRENT'] }),
        }),
      };
    },
    GetSecretValue(input) {
      const asked = Get.parse(input);
      return valueAnswer(store, expectLive(asked.SecretId), asked);
    },
    BatchGetSecretValue(input) {
      const asked = z
        .looseObject({ SecretIdList: z.array(z.string()).min(1).max(20).optional(), Filters })
        .parse(input);
      if ((asked.SecretIdList === undefined) === (asked.Filters.length === 0))
        throw new ServiceError(
          'InvalidParameterException',
          'Either SecretIdList or Filters must be provided, but not both.',
        );
      const found = store
        .all(clock.now())
        .filter((secret) => secret.deletedAt === null && isWanted(secret, asked.Filters));
      const wanted = asked.SecretIdList ?? found.map(({ name }) => name);
      const SecretValues: object[] = [];
      const Errors: object[] = [];
      for (const id of wanted) {
        try {
          SecretValues.push(valueAnswer(store, expectLive(id), {}));
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error;
          Errors.push({ SecretId: id, ErrorCode: error.type, Message: error.message });
        }
      }
      return { SecretValues, Errors };
    },
    PutSecretValue(input) {
      const { SecretId, ClientRequestToken, VersionStages, ...content } = Put.parse(input);
      const { name, arn } = expectLive(SecretId);
      const VersionId = add(name, content, { token: ClientRequestToken, stages: VersionStages });
      return { ARN: arn, Name: name, VersionId, VersionStages: store.stages(name, VersionId) };
    },
    UpdateSecret(input) {
      const { SecretId, ClientRequestToken, Description, ...content } = Update.parse(input);
      const secret = expectLive(SecretId);
      const answer = { ARN: secret.arn, Name: secret.name };
      if (Description !== undefined) store.change({ ...secret, description: Description }, clock.now());
      if (content.SecretString === undefined && content.SecretBinary === undefined) return answer;
      const VersionId = add(secret.name, content, { token: ClientRequestToken, stages: ['AWSCURRENT'] });
      return { ...answer, VersionId };
    },
    UpdateSecretVersionStage(input) {
      const { SecretId, VersionStage, RemoveFromVersionId, MoveToVersionId } = Move.parse(input);
      const { name, arn } = expectLive(SecretId);
      const holder = store.staged(name, VersionStage);
      if (holder !== RemoveFromVersionId) {
        throw new ServiceError(
          'InvalidParameterException',
          `The staging label ${VersionStage} is currently attached to version ${holder}, so RemoveFromVersionId must say so.`,
        );
      }
      if (MoveToVersionId === undefined) store.unstage(name, VersionStage);
      else if (store.version(name, MoveToVersionId)) store.stage(name, VersionStage, MoveToVersionId);
      else throw noVersion(`VersionId: ${MoveToVersionId}`);
      return { ARN: arn, Name: name };
    },
    DescribeSecret: (input) => described(store, find(Id.parse(input).SecretId)),
    ListSecrets(input) {
      const asked = z
        .looseObject({ ...Page, Filters, IncludePlannedDeletion: z.boolean().default(false) })
        .parse(input);
      const all = store
        .all(clock.now())
        .filter(
          (secret) =>
            secret.name > asked.NextToken &&
            (asked.IncludePlannedDeletion || secret.deletedAt === null) &&
            isWanted(secret, asked.Filters),
        );
      const shown = all.slice(0, asked.MaxResults);
      return {
        SecretList: shown.map((secret) => {
          const { VersionIdsToStages, ...entry } = described(store, secret);
          return { ...entry, SecretVersionsToStages: VersionIdsToStages };
        }),
        ...(all.length > shown.length && { NextToken: shown.at(-1)?.name }),
      };
    },
    ListSecretVersionIds(input) {
      const { name, arn } = find(Id.parse(input).SecretId);
      return {
        ARN: arn,
        Name: name,
        Versions: store.versions(name).map(({ id, createdAt }) => ({
          VersionId: id,
          VersionStages: store.stages(name, id),
          CreatedDate: createdAt / 1000,
        })),
      };
    },
    DeleteSecret(input) {
      const asked = Delete.parse(input);
      if (asked.ForceDeleteWithoutRecovery && asked.RecoveryWindowInDays !== undefined) {
        throw new ServiceError(
          'InvalidParameterException',
          "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        );
      }
      const secret = asked.ForceDeleteWithoutRecovery ? find(asked.SecretId) : expectLive(asked.SecretId);
      const days = asked.ForceDeleteWithoutRecovery ? 0 : (asked.RecoveryWindowInDays ?? 30);
      const deletedAt = clock.now() + days * DAY_MS;
      if (days === 0) store.remove(secret.name);
      else store.change({ ...secret, deletedAt }, clock.now());
      return { ARN: secret.arn, Name: secret.name, DeletionDate: deletedAt / 1000 };
    },
    RestoreSecret(input) {
      const secret = find(Id.parse(input).SecretId);
      store.change({ ...secret, deletedAt: null }, clock.now());
      return { ARN: secret.arn, Name: secret.name };
    },
    TagResource(input) {
      const added = z.looseObject({ SecretId: z.string(), Tags }).parse(input);
      const secret = expectLive(added.SecretId);
      const kept = secret.tags.filter(({ Key }) => !added.Tags.some((tag) => tag.Key === Key));
      store.change({ ...secret, tags: [...kept, ...added.Tags] }, clock.now());
    },
    UntagResource(input) {
      const { SecretId, TagKeys } = z
        .looseObject({ SecretId: z.string(), TagKeys: z.array(z.string()) })
        .parse(input);
      const secret = expectLive(SecretId);
      const tags = secret.tags.filter(({ Key }) => !TagKeys.includes(Key));
      store.change({ ...secret, tags }, clock.now());
    },
    GetRandomPassword: (input) => ({ RandomPassword: password(Password.parse(input), surroundings.random) }),
  };
  return {
    signingName: 'secretsmanager',
    operation: jsonOperation,
    handle: (request) => answerJson(request, '1.1', operations),
  };
};

const valueAnswer = (
  store: SecretStore,
  { name, arn }: Secret,
  asked: { readonly VersionId?: string | undefined; readonly VersionStage?: string | undefined },
): object => {
  const stage = asked.VersionStage ?? (asked.VersionId === undefined ? 'AWSCURRENT' : undefined);
  const id = asked.VersionId ?? (stage && store.staged(name, stage));
  const version = id === undefined ? undefined : store.version(name, id);
  if (version === undefined)
    throw noVersion(
      asked.VersionId === undefined ? `staging label: ${stage}` : `VersionId: ${asked.VersionId}`,
    );
  const stages = store.stages(name, version.id);
  if (stage !== undefined && !stages.includes(stage)) throw noVersion(`staging label: ${stage}`);
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

/** Whether a secret meets every filter; a value behind `!` is one that it must not begin with. */
const isWanted = (secret: Secret, filters: z.infer<typeof Filters>): boolean => {
  const words: Readonly<Record<string, readonly string[]>> = {
    name: [secret.name],
    description: [secret.description ?? ''],
    'tag-key': secret.tags.map(({ Key }) => Key),
    'tag-value': secret.tags.map(({ Value }) => Value),
  };
  return filters.every(({ Key, Values }) => {
    const texts = Key === 'all' ? Object.values(words).flat() : (words[Key] ?? []);
    // Names and tags are compared as they are written, descriptions without regard to case.
    const starts = (text: string, value: string): boolean =>
      Key === 'description' || Key === 'all'
        ? text.toLowerCase().startsWith(value.toLowerCase())
        : text.startsWith(value);
    return Values.some((value) =>
      value.startsWith('!')
        ? !texts.some((text) => starts(text, value.slice(1)))
        : texts.some((text) => starts(text, value)),
    );
  });
};

const noVersion = (which: string): ServiceError =>
  new ServiceError(
    'ResourceNotFoundException',
    `Secrets Manager can't find the specified secret value for ${which}`,
  );

const expectName = (name: string): void => {
  if (!/^[\w/+=.@!-]{1,512}$/u.test(name)) {
    throw new ServiceError(
      'ValidationException',
      'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
    );
  }
};

const contentOf = (content: {
  readonly SecretString?: string | undefined;
  readonly SecretBinary?: string | undefined;
}): Value => {
  const { SecretString: text = null, SecretBinary: binary = null } = content;
  if ((text === null) === (binary === null)) {
    throw new ServiceError(
      'InvalidParameterException',
      'You must provide either SecretString or SecretBinary, and not both.',
    );
  }
  if (Buffer.byteLength(text ?? Buffer.from(binary ?? '', 'base64')) > LARGEST_BYTES)
    throw new ServiceError('ValidationException', `A secret value has at most ${LARGEST_BYTES} bytes.`);
  return { text, binary };
};
