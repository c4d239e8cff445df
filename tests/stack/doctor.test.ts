import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examineAccount } from '../../cli/deployment/doctor.ts';
import { HubConfig } from '../../core/config/hub-config.ts';
import { inProcess } from '../../infra/local/runtime/client.ts';
import type { Cloud } from '../../infra/local/runtime/cloud.ts';
import { deployTemplate } from '../support/deploy-template.ts';

let cloud: Cloud;
const aws = {
  region: 'eu-south-1',
  credentials: { accessKeyId: 'TEST', secretAccessKey: 'test' },
  requestHandler: inProcess((request) => cloud.aws(request)).requestHandler,
};

beforeEach(async () => {
  ({ cloud } = await deployTemplate());
});
afterEach(() => cloud.stop());

const found = async (executions: number | Error, subject: string) => {
  const findings = await examineAccount({
    aws,
    hub: HubConfig.parse({}),
    lambda: async () => {
      if (executions instanceof Error) throw executions;
      return { AccountLimit: { ConcurrentExecutions: executions } };
    },
  });
  return findings.find((one) => one.subject === subject);
};

describe('hub doctor', () => {
  it('reports a secret that is not stored, and nothing once it is stored', async () => {
    expect(await found(1000, 'secret acme/channels/twilio')).toMatchObject({ state: 'wrong' });
    await new SecretsManagerClient(aws).send(
      new PutSecretValueCommand({ SecretId: 'acme/channels/twilio', SecretString: '{"authToken":"t0p"}' }),
    );
    const finding = await found(1000, 'secret acme/channels/twilio');
    expect(finding).toMatchObject({ state: 'ok', detail: 'has authToken' });
    expect(JSON.stringify(finding)).not.toContain('t0p');
  });

  it.each([
    [10, 'wrong'],
    [1000, 'ok'],
    [new Error('denied'), 'unknown'],
  ] as const)('reports %s concurrent executions as %s', async (executions, state) => {
    expect((await found(executions, 'Lambda concurrent executions'))?.state).toBe(state);
  });

  it('finds the topic of the alarms and its subscription', async () => {
    expect(await found(1000, 'alarms to ops@acme.example')).toMatchObject({
      ...{ state: 'ok', detail: 'are confirmed' },
    });
  });

  it('reads the quotas of e-mail and SMS', async () => {
    expect((await found(1000, 'SES quota'))?.state).toBe('ok');
    expect((await found(1000, 'SMS spend limit'))?.detail).toMatch(/\$\d+ per month/u);
  });
});
