import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandInput,
  ListSecretsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { secretsManager } from '../../../infra/local/secrets-manager/index.ts';
import { clientOf, serviceContext } from '../../support/service-context.ts';

const open = async () => {
  const around = serviceContext();
  const client = new SecretsManagerClient(clientOf(secretsManager(around)));
  const create = (Name: string, SecretString?: string) =>
    client.send(new CreateSecretCommand({ Name, ...(SecretString !== undefined && { SecretString }) }));
  const get = async (SecretId: string, more: Partial<GetSecretValueCommandInput> = {}) =>
    (await client.send(new GetSecretValueCommand({ SecretId, ...more }))).SecretString;
  const put = (SecretId: string, SecretString: string, VersionStages?: string[]) =>
    client.send(
      new PutSecretValueCommand({ SecretId, SecretString, ...(VersionStages && { VersionStages }) }),
    );
  return { ...around, client, create, get, put };
};

describe('secrets', () => {
  it('are read by name, ARN and ARN without its end', async () => {
    const { create, get } = await open();
    const { ARN = '' } = await create('hub/channels/twilio', '{"token":"t"}');
    expect(ARN).toMatch(
      /^arn:aws:secretsmanager:eu-south-1:123456789012:secret:hub\/channels\/twilio-.{6}$/u,
    );
    for (const id of ['hub/channels/twilio', ARN, ARN.slice(0, -7)])
      expect(await get(id)).toBe('{"token":"t"}');
    await expect(get('hub/channels')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('hold bytes', async () => {
    const { client } = await open();
    const SecretBinary = new Uint8Array([0, 1, 255]);
    await client.send(new CreateSecretCommand({ Name: 'b', SecretBinary }));
    const { SecretBinary: found, SecretString } = await client.send(
      new GetSecretValueCommand({ SecretId: 'b' }),
    );
    expect([found && [...found], SecretString]).toEqual([[0, 1, 255], undefined]);
  });

  it('keep the value before as the previous version', async () => {
    const { client, create, get, put } = await open();
    await create('a', 'one');
    await put('a', 'two');
    const { VersionId = '' } = await put('a', 'three');
    expect(await get('a')).toBe('three');
    expect(await get('a', { VersionStage: 'AWSPREVIOUS' })).toBe('two');
    const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: 'a' }));
    const before = Object.entries(VersionIdsToStages).find(([, [stage]]) => stage === 'AWSPREVIOUS')?.[0];
    expect(VersionIdsToStages).toEqual({ [VersionId]: ['AWSCURRENT'], [String(before)]: ['AWSPREVIOUS'] });
    expect(await get('a', { VersionId })).toBe('three');
    await expect(get('a', { VersionId, VersionStage: 'AWSPREVIOUS' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('can have a version that is not current yet', async () => {
    const { create, get, put } = await open();
    await create('a', 'one');
    await put('a', 'next', ['AWSPENDING']);
    expect([await get('a'), await get('a', { VersionStage: 'AWSPENDING' })]).toEqual(['one', 'next']);
  });

  it('are written once per request token', async () => {
    const { client, create, get } = await open();
    await create('a', 'one');
    const ClientRequestToken = 'a'.repeat(32);
    const write = (SecretString: string) =>
      client.send(new PutSecretValueCommand({ SecretId: 'a', SecretString, ClientRequestToken }));
    await write('two');
    await write('two');
    await expect(write('three')).rejects.toMatchObject({ name: 'ResourceExistsException' });
    expect([await get('a'), await get('a', { VersionStage: 'AWSPREVIOUS' })]).toEqual(['two', 'one']);
  });

  it('refuse a second of their name, odd names, empty and oversized values', async () => {
    const { client, create, get, put } = await open();
    await create('empty');
    await expect(get('empty')).rejects.toThrow(/staging label: AWSCURRENT/u);
    await expect(create('empty')).rejects.toMatchObject({ name: 'ResourceExistsException' });
    await expect(create('a b', 'x')).rejects.toThrow(/Invalid name/u);
    await expect(put('empty', 'x'.repeat(65_537))).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(client.send(new PutSecretValueCommand({ SecretId: 'empty' }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    await put('empty', 'x'.repeat(65_536));
    expect(await get('empty')).toHaveLength(65_536);
  });

  it('are kept through their recovery window, then gone; or gone at once', async () => {
    const { client, clock, create, get } = await open();
    await create('a', 'one');
    const remove = (more = {}) => client.send(new DeleteSecretCommand({ SecretId: 'a', ...more }));
    await remove({ RecoveryWindowInDays: 7 });
    await expect(get('a')).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await expect(create('a', 'two')).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await client.send(new RestoreSecretCommand({ SecretId: 'a' }));
    expect(await get('a')).toBe('one');
    await remove({ RecoveryWindowInDays: 7 });
    await clock.runUntil(clock.now() + 7 * 86_400_000);
    await expect(get('a')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await create('a', 'two');
    await remove({ ForceDeleteWithoutRecovery: true });
    await create('a', 'three');
    expect(await get('a')).toBe('three');
  });

  it('are listed by page, and by the beginning of their names', async () => {
    const { client, create } = await open();
    for (const name of ['c', 'a', 'b']) await create(name, name);
    const first = await client.send(new ListSecretsCommand({ MaxResults: 2 }));
    const second = await client.send(new ListSecretsCommand({ MaxResults: 2, NextToken: first.NextToken }));
    const names = [first, second].map(({ SecretList }) => SecretList?.map(({ Name }) => Name));
    expect(names).toEqual([['a', 'b'], ['c']]);
    const filtered = await client.send(
      new ListSecretsCommand({ Filters: [{ Key: 'name', Values: ['b', 'c'] }] }),
    );
    expect(filtered.SecretList?.map(({ Name }) => Name)).toEqual(['b', 'c']);
  });

  it('survive a restart', async () => {
    const around = serviceContext();
    await new SecretsManagerClient(clientOf(secretsManager(around))).send(
      new CreateSecretCommand({ Name: 'a', SecretString: 'one', Tags: [{ Key: 'k', Value: 'v' }] }),
    );
    const client = new SecretsManagerClient(clientOf(secretsManager(around)));
    expect(await client.send(new DescribeSecretCommand({ SecretId: 'a' }))).toMatchObject({
      Tags: [{ Key: 'k', Value: 'v' }],
    });
    expect(await client.send(new GetSecretValueCommand({ SecretId: 'a' }))).toMatchObject({
      SecretString: 'one',
    });
  });
});

it('makes passwords as asked', async () => {
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const client = new SecretsManagerClient(clientOf(secretsManager(serviceContext({ random }))));
  const { RandomPassword = '' } = await client.send(
    new GetRandomPasswordCommand({ PasswordLength: 64, ExcludePunctuation: true, ExcludeCharacters: 'abc' }),
  );
  expect(RandomPassword).toMatch(/^(?=.*[d-z])(?=.*[A-Z])(?=.*\d)[d-zA-Z0-9]{64}$/u);
});
