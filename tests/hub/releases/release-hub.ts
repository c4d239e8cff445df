import { DatabaseSync } from 'node:sqlite';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { samples } from '../../../cli/local/samples.ts';
import { VirtualClock } from '../../../core/clock.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { hubFunctions } from '../../../infra/scenario/hub/functions.ts';
import {
  type InProcessHubOptions,
  openInProcessHub,
  queueArn,
} from '../../../infra/scenario/hub/in-process-hub.ts';
import { openSandboxes } from '../../../infra/scenario/hub/sandboxes.ts';
import { assemblyWith } from '../../../infra/stack/assembly.ts';

export const START = Date.parse('2026-03-02T09:00:00Z');
export const PUBLIC_URL = 'https://acme.example';
const API_KEY = 'a-key-of-the-releases-0123456789';
/** With which the stored releases have hashed ids and signed links: secrets outlive a release. */
const OWN_KEYS = `nN5${'F'.repeat(37)}`;
const HOUR_MS = 3_600_000;

interface ReleaseHubOptions extends Pick<InProcessHubOptions, 'functions'> {
  /** Epoch milliseconds at which its clock begins. */
  readonly now: number;
  /** The records that the CRMs hold; default none. */
  readonly crms?: DatabaseSync;
}

/** Opens a hub with three CRMs, whose state can be stored as that of a release and loaded again. */
export const openReleaseHub = async ({
  now,
  crms: db = new DatabaseSync(':memory:'),
  functions = hubFunctions,
}: ReleaseHubOptions) => {
  const clock = new VirtualClock(now);
  const assembly = await assemblyWith({ salesforce: {}, hubspot: {}, servicenow: {} });
  const hub = await openInProcessHub({ assembly, clock, publicUrl: PUBLIC_URL, functions });
  const { cloud, runtime, name } = hub;
  const crms = await openSandboxes(db, { now: () => clock.now(), servicenow: true });
  await crms.connect(runtime, name);
  const secrets = new SecretsManagerClient(clientConfig(runtime));
  const channels = Object.entries(samples(now, PUBLIC_URL).secrets);
  const values = {
    ...Object.fromEntries(channels.map(([provider, value]) => [`channels/${provider}`, value])),
    ...{ api: { keys: [API_KEY] }, 'hashed-keys': { keys: OWN_KEYS }, signing: { keys: OWN_KEYS } },
  };
  for (const [secret, value] of Object.entries(values))
    await secrets.send(
      new PutSecretValueCommand({ SecretId: `${name}/${secret}`, SecretString: JSON.stringify(value) }),
    );
  const settle = (): Promise<void> => clock.runUntil(clock.now());
  const front = (method: string, target: string, body: string, headers: Readonly<Record<string, string>>) =>
    cloud.front({ method, target, headers, body: Buffer.from(body) });
  const api = async (method: string, target: string, body?: unknown) => {
    const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };
    const answer = await front(method, target, body === undefined ? '' : JSON.stringify(body), headers);
    if (answer.status >= 400)
      throw new Error(`${method} ${target} answered ${answer.status}: ${answer.body}`);
    const text = Buffer.from(answer.body).toString();
    return text.startsWith('{') ? JSON.parse(text) : text;
  };
  const send = (queue: RegExp, body: unknown): void =>
    cloud.send(queueArn(cloud, queue), typeof body === 'string' ? body : JSON.stringify(body));
  return {
    ...{ assembly, hub, cloud, clock, runtime, name, crms, crmRecords: db, api, front, send, settle },
    /** Lets `ms` pass; default an hour. */
    wait: (ms = HOUR_MS): Promise<void> => clock.runUntil(clock.now() + ms),
    /** Puts an interaction on the deliveries queue: by default an inbound SMS that occurs and arrives now. */
    act(key: string, identifiers: readonly string[], fields: Readonly<Record<string, unknown>> = {}): void {
      const occurredAt = new Date(clock.now()).toISOString();
      const interaction = {
        ...{ key, kind: 'message', channel: 'sms', provider: 'standard', direction: 'inbound' },
        ...{ externalId: key, identifiers, occurredAt, text: `Text of ${key}`, ...fields },
      };
      send(/^Deliveries(?!.*Dead)/u, { type: 'interaction', receivedAt: occurredAt, interaction });
    },
    command: (command: string, fields: Readonly<Record<string, unknown>>) =>
      api('POST', '/commands', { command, ...fields }),
    async stop(): Promise<void> {
      await cloud.stop();
      await crms.stop();
    },
  };
};
export type ReleaseHub = Awaited<ReturnType<typeof openReleaseHub>>;
