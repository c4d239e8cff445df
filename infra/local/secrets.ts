import * as z from 'zod';
import { answerJson, jsonOperation, type Operation, ServiceError } from './json.ts';
import type { AwsService, Surroundings } from './service.ts';

const Id = z.looseObject({ SecretId: z.string() });
const Content = {
  SecretString: z.string().optional(),
  SecretBinary: z.string().optional(),
  Description: z.string().optional(),
  KmsKeyId: z.string().optional(),
};

interface Version {
  readonly id: string;
  readonly text: string | null;
  readonly binary: string | null;
  readonly stage: string;
  readonly createdAt: number;
}

/** Secrets Manager on one machine. */
export const secretsManager = ({ db, clock, newId, region, account }: Surroundings): AwsService => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, arn TEXT NOT NULL, description TEXT, created_at INTEGER NOT NULL, deleted_at INTEGER) STRICT;
    CREATE TABLE IF NOT EXISTS secret_versions (name TEXT NOT NULL, id TEXT NOT NULL, text TEXT, binary TEXT, stage TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (name, id)) STRICT;
  `);
  const find = (
    id: string,
    deletedToo = false,
  ): { name: string; arn: string; description: string | null; createdAt: number } => {
    const row = db.prepare('SELECT * FROM secrets WHERE name = ? OR arn = ?').get(id, id);
    if (row === undefined)
      throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    if (row['deleted_at'] !== null && !deletedToo) {
      throw new ServiceError(
        'InvalidRequestException',
        "You can't perform this operation on the secret because it was marked for deletion.",
      );
    }
    return {
      name: String(row['name']),
      arn: String(row['arn']),
      description: row['description'] === null ? null : String(row['description']),
      createdAt: Number(row['created_at']),
    };
  };
  const versions = (name: string): Version[] =>
    db
      .prepare('SELECT * FROM secret_versions WHERE name = ?')
      .all(name)
      .map((row) => ({
        id: String(row['id']),
        text: row['text'] === null ? null : String(row['text']),
        binary: row['binary'] === null ? null : String(row['binary']),
        stage: String(row['stage']),
        createdAt: Number(row['created_at']),
      }));
  const addVersion = (
    name: string,
    token: string | undefined,
    content: { SecretString?: string | undefined; SecretBinary?: string | undefined },
  ): string => {
    const id = token ?? newId();
    db.prepare("UPDATE secret_versions SET stage = '' WHERE name = ? AND stage = 'AWSPREVIOUS'").run(name);
    db.prepare(
      "UPDATE secret_versions SET stage = 'AWSPREVIOUS' WHERE name = ? AND stage = 'AWSCURRENT'",
    ).run(name);
    db.prepare(
      "INSERT INTO secret_versions (name, id, text, binary, stage, created_at) VALUES (?, ?, ?, ?, 'AWSCURRENT', ?) ON CONFLICT DO UPDATE SET stage = 'AWSCURRENT'",
    ).run(name, id, content.SecretString ?? null, content.SecretBinary ?? null, clock.now());
    return id;
  };
  const put = (input: unknown): object => {
    const { SecretId, ClientRequestToken, ...content } = z
      .strictObject({
        ...Content,
        SecretId: z.string(),
        ClientRequestToken: z.string().optional(),
        VersionStages: z.array(z.string()).optional(),
      })
      .parse(input);
    const { name, arn } = find(SecretId);
    if (content.SecretString === undefined && content.SecretBinary === undefined)
      return { ARN: arn, Name: name };
    return {
      ARN: arn,
      Name: name,
      VersionId: addVersion(name, ClientRequestToken, content),
      VersionStages: ['AWSCURRENT'],
    };
  };
  const operations: Record<string, Operation> = {
    CreateSecret(input) {
      const { Name, ClientRequestToken, Description, ...content } = z
        .strictObject({
          ...Content,
          Name: z.string().min(1).max(512),
          ClientRequestToken: z.string().optional(),
          Tags: z.array(z.unknown()).optional(),
        })
        .parse(input);
      if (db.prepare('SELECT 1 FROM secrets WHERE name = ?').get(Name)) {
        throw new ServiceError(
          'ResourceExistsException',
          `The operation failed because the secret ${Name} already exists.`,
        );
      }
      const arn = `arn:aws:secretsmanager:${region}:${account}:secret:${Name}-${newId().slice(-6)}`;
      db.prepare('INSERT INTO secrets (name, arn, description, created_at) VALUES (?, ?, ?, ?)').run(
        Name,
        arn,
        Description ?? null,
        clock.now(),
      );
      const filled = content.SecretString !== undefined || content.SecretBinary !== undefined;
      return { ARN: arn, Name, ...(filled && { VersionId: addVersion(Name, ClientRequestToken, content) }) };
    },
    GetSecretValue(input) {
      const asked = z
        .strictObject({
          SecretId: z.string(),
          VersionId: z.string().optional(),
          VersionStage: z.string().optional(),
        })
        .parse(input);
      const { name, arn } = find(asked.SecretId);
      const wanted = asked.VersionStage ?? 'AWSCURRENT';
      const version = versions(name).find(({ id, stage }) =>
        asked.VersionId === undefined ? stage === wanted : id === asked.VersionId,
      );
      if (version === undefined) {
        throw new ServiceError(
          'ResourceNotFoundException',
          `Secrets Manager can't find the specified secret value for staging label: ${wanted}`,
        );
      }
      return {
        ARN: arn,
        Name: name,
        VersionId: version.id,
        VersionStages: [version.stage],
        CreatedDate: version.createdAt / 1000,
        ...(version.text !== null && { SecretString: version.text }),
        ...(version.binary !== null && { SecretBinary: version.binary }),
      };
    },
    PutSecretValue: put,
    UpdateSecret: put,
    DescribeSecret(input) {
      const { name, arn, description, createdAt } = find(Id.parse(input).SecretId, true);
      return {
        ARN: arn,
        Name: name,
        Description: description ?? undefined,
        CreatedDate: createdAt / 1000,
        VersionIdsToStages: Object.fromEntries(versions(name).map(({ id, stage }) => [id, [stage]])),
      };
    },
    ListSecrets: () => ({
      SecretList: db
        .prepare('SELECT name, arn FROM secrets WHERE deleted_at IS NULL ORDER BY name')
        .all()
        .map((row) => ({ ARN: row['arn'], Name: row['name'] })),
    }),
    DeleteSecret(input) {
      const { SecretId, ForceDeleteWithoutRecovery } = z
        .looseObject({ SecretId: z.string(), ForceDeleteWithoutRecovery: z.boolean().optional() })
        .parse(input);
      const { name, arn } = find(SecretId);
      if (ForceDeleteWithoutRecovery === true) {
        db.prepare('DELETE FROM secret_versions WHERE name = ?').run(name);
        db.prepare('DELETE FROM secrets WHERE name = ?').run(name);
      } else db.prepare('UPDATE secrets SET deleted_at = ? WHERE name = ?').run(clock.now(), name);
      return { ARN: arn, Name: name, DeletionDate: clock.now() / 1000 };
    },
    RestoreSecret(input) {
      const { name, arn } = find(Id.parse(input).SecretId, true);
      db.prepare('UPDATE secrets SET deleted_at = NULL WHERE name = ?').run(name);
      return { ARN: arn, Name: name };
    },
  };
  return {
    signingName: 'secretsmanager',
    operation: jsonOperation,
    handle: (request) => answerJson(request, '1.1', operations),
  };
};
