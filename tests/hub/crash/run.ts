import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { parse } from 'yaml';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { hubFunctions } from '../../../infra/scenario/hub/functions.ts';
import { runSteps } from '../../../infra/scenario/run.ts';
import { openScenarioHub, type ScenarioHub } from '../../../infra/scenario/scenario-hub.ts';
import { Scenario } from '../../../infra/scenario/schema.ts';
import type { Assembly } from '../../../infra/stack/assembly.ts';
import { brokenInvariants } from '../../tools/crash/invariants.ts';
import { signingProviders, type Webhook } from '../../tools/crash/webhooks.ts';

const publicUrl = 'https://hub.example.com';
const MINUTE = 60_000;

/** An AWS call of a function, by its number in that function, from 1. */
export interface Call {
  readonly caller: string;
  readonly number: number;
  readonly operation: string;
}

/** A read changes nothing: a process that ends there leaves the same state as after the call before. */
export const hasEffect = ({ operation }: Call): boolean => !/Get|Query|^GET /u.test(operation);

/** Where a function's process ends: before the call has its effect, or after it and before the answer arrives. */
export interface ProcessEnd extends Pick<Call, 'caller' | 'number'> {
  readonly when: 'before' | 'after';
}

const never = new Promise<never>(() => {});

/**
 * Functions whose process can end at a call: the invocation fails, the instance does nothing more, and the next
 * invocation is a cold start.
 */
export const endingFunctions =
  (ends: readonly ProcessEnd[], calls: Call[]): typeof hubFunctions =>
  (assembly, cloud, world) => {
    const numbers = new Map<string, number>();
    const startInstance = (caller: string) => {
      const { promise: ended, reject } = Promise.withResolvers<never>();
      ended.catch(() => {});
      const instance = { dead: false, ended };
      const end = (): Promise<never> => {
        instance.dead = true;
        reject(new Error('The process ended.'));
        return never;
      };
      const aws: ReturnType<typeof cloud>['aws'] = async (request) => {
        if (instance.dead) return never;
        const number = (numbers.get(caller) ?? 0) + 1;
        numbers.set(caller, number);
        const operation = request.headers['x-amz-target'] ?? `${request.method} ${request.path}`;
        calls.push({ caller, number, operation });
        const here = ends.find((one) => one.caller === caller && one.number === number)?.when;
        if (here === 'before') return end();
        const response = await cloud().aws(request);
        return here === 'after' ? end() : instance.dead ? never : response;
      };
      return Object.assign(instance, { run: hubFunctions(assembly, () => ({ aws }), world) });
    };
    const instances = new Map<string, ReturnType<typeof startInstance>>();
    return (target, event, invocation) => {
      const present = instances.get(target.name);
      const instance = present === undefined || present.dead ? startInstance(target.name) : present;
      instances.set(target.name, instance);
      return Promise.race([instance.run(target, event, invocation), instance.ended]);
    };
  };

/** Triggers of every category, one with a wait, two series, on SMS and e-mail, and a customer who has consented to marketing. */
const scenario = Scenario.parse(
  parse(`
name: from webhook to recorded send
triggers:
  - { id: hello, name: Hello, category: transactional, on: { kind: [message], direction: [inbound], customer: { isNew: [true] } }, send: { channels: [sms], template: t } }
  - { id: followup, name: Follow up, category: service, on: { kind: [message], channel: [whatsapp] }, wait: 1h, send: { channels: [sms], template: t } }
  - { id: offer, name: Offer, category: marketing, on: { kind: [message], channel: [email] }, send: { channels: [email], template: t }, goal: { on: { kind: [message] }, within: 2h } }
  - id: series
    category: service
    on: { kind: [message], direction: [inbound], channel: [sms] }
    steps:
      - { id: one, send: { channels: [sms], template: t } }
      - { id: two, await: { kind: [message], channel: [whatsapp] }, within: 2h, send: { channels: [sms], template: t } }
      - { id: three, send: { channels: [email], template: t } }
      - { id: four, wait: 1h, send: { channels: [sms], template: t } }
  - id: letters
    category: marketing
    on: { kind: [message], channel: [email] }
    goal: { on: { kind: [message] }, within: 2h }
    steps:
      - { id: one, send: { channels: [email], template: t } }
      - { id: two, wait: 1h, send: { channels: [email], template: t } }
customers: [{ identifiers: ["email:grace@example.org"], consent: { email: granted } }]
steps: [{ at: 2026-03-02T09:00:00Z, advance: 1s }]
expect: {}
`),
);

export interface RunResult {
  /** A sentence for each broken invariant. */
  readonly broken: readonly string[];
  /** The calls of all functions, oldest first. */
  readonly calls: readonly Call[];
  /** The number of messages sent, by trigger, and by the step of a series. */
  readonly sent: Readonly<Record<string, number>>;
}

/**
 * Delivers webhooks for a first contact, a second customer and their merge through the front door, as providers do: what
 * is not answered with 2xx is sent again. Functions end at `ends`.
 */
export const runWithEnds = async (
  assembly: Assembly,
  ends: readonly ProcessEnd[] = [],
): Promise<RunResult> => {
  const calls: Call[] = [];
  const hub = await openScenarioHub(scenario, '.', { assembly, functions: endingFunctions(ends, calls) });
  try {
    const { secrets, sms, whatsapp, mail } = signingProviders(publicUrl);
    const manager = new SecretsManagerClient(clientConfig(hub.runtime));
    for (const [provider, secret] of Object.entries(secrets))
      await manager.send(
        new PutSecretValueCommand({
          SecretId: `${hub.name}/channels/${provider}`,
          SecretString: JSON.stringify(secret),
        }),
      );
    await runSteps(hub, { ...scenario, steps: [{ at: '2026-03-02T09:00:00.000Z', advance: 1000 }] }, '.');
    const [from, user, grace] = ['+14155550100', 'US.1', 'grace@example.org'];
    const posts: readonly { text: string; identifier: string; webhook: (at: number) => Webhook }[] = [
      {
        ...{ text: 'first', identifier: `phone:${from}` },
        webhook: () => sms({ id: 'SM1', from, text: 'first' }),
      },
      {
        ...{ text: 'second', identifier: `whatsapp-user:${user}` },
        webhook: (at) => whatsapp({ id: 'wamid.1', user, text: 'second', at }),
      },
      {
        ...{ text: 'third', identifier: `phone:${from}` },
        webhook: (at) => whatsapp({ id: 'wamid.2', user, from, text: 'third', at }),
      },
      {
        ...{ text: 'fourth', identifier: `email:${grace}` },
        webhook: (at) => mail({ id: 'm1', from: grace, text: 'fourth', at }),
      },
    ];
    for (const { webhook } of posts) {
      await deliver(hub, webhook(hub.clock.now()));
      await hub.clock.runUntil(hub.clock.now() + MINUTE);
    }
    await hub.clock.runUntilIdle(hub.clock.now() + 86_400_000);
    const sent: Record<string, number> = {};
    for (const { tags } of hub.cloud.sentMessages.list()) {
      const [trigger = '', , step] = idsIn(tags?.['notification'] ?? '');
      const name = step === undefined ? trigger : `${trigger} ${step}`;
      sent[name] = (sent[name] ?? 0) + 1;
    }
    const broken = await brokenInvariants(hub, { acknowledged: posts, refused: [], unanswered: [] });
    return { broken, calls, sent };
  } finally {
    await hub.cloud.stop();
    await hub.crms.stop();
  }
};

/** The trigger, the interaction and the step of a notification. The id of an interaction has 22 characters, `_` among them. */
const idsIn = (notification: string): readonly (string | undefined)[] =>
  /^([^._]+)[._](.{22})(?:[._](.+))?$/u.exec(notification)?.slice(1) ?? [];

const deliver = async (
  { cloud, clock }: ScenarioHub,
  { provider, headers, body }: Webhook,
): Promise<void> => {
  for (let tries = 0; tries < 5; tries++) {
    const request = { method: 'POST', target: `/webhooks/${provider}`, headers, body: Buffer.from(body) };
    const { status } = await cloud.front(request);
    if (status < 300) return;
    if (status < 500) throw new Error(`${provider} was answered with ${status}.`);
    await clock.runUntil(clock.now() + MINUTE);
  }
  throw new Error(`${provider} was never acknowledged.`);
};
