import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { parse } from 'yaml';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { hubFunctions } from '../../../infra/scenario/hub/functions.ts';
import { runSteps } from '../../../infra/scenario/run.ts';
import { openScenarioHub, type ScenarioHub } from '../../../infra/scenario/scenario-hub.ts';
import { Scenario } from '../../../infra/scenario/schema.ts';
import type { Assembly } from '../../../infra/stack/assembly.ts';
import { type Acknowledged, brokenInvariants } from '../../tools/crash/invariants.ts';
import { providers, type Webhook } from '../../tools/crash/webhooks.ts';

const publicUrl = 'https://hub.example.com';
const MINUTE = 60_000;

/** One AWS call of a function: which function, the how-manieth of it, and what it asks. */
export interface Call {
  readonly caller: string;
  readonly number: number;
  readonly operation: string;
}

/** Reads change nothing: a process that ends at one leaves what the call before it has left. */
export const hasEffect = ({ operation }: Call): boolean => !/Get|Query|^GET /u.test(operation);

/** Where a function's process ends: before the call has its effect, or after it, before the answer arrives. */
export interface Cut extends Pick<Call, 'caller' | 'number'> {
  readonly when: 'before' | 'after';
}

const never = new Promise<never>(() => {});

/**
 * Functions whose process can end at a call: the invocation fails, nothing of the instance goes on or is used again, and
 * the next invocation is a cold start.
 */
const mortal =
  (cuts: readonly Cut[], calls: Call[]): typeof hubFunctions =>
  (assembly, cloud, world) => {
    const numbers = new Map<string, number>();
    const begin = (caller: string) => {
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
        const here = cuts.find((cut) => cut.caller === caller && cut.number === number)?.when;
        if (here === 'before') return end();
        const response = await cloud().aws(request);
        return here === 'after' ? end() : instance.dead ? never : response;
      };
      return Object.assign(instance, { run: hubFunctions(assembly, () => ({ aws }), world) });
    };
    const instances = new Map<string, ReturnType<typeof begin>>();
    return (target, event, invocation) => {
      const present = instances.get(target.name);
      const instance = present === undefined || present.dead ? begin(target.name) : present;
      instances.set(target.name, instance);
      return Promise.race([instance.run(target, event, invocation), instance.ended]);
    };
  };

/** A first contact, a second customer, their merge, a wait, SMS and e-mail, transactional, service and marketing, two CRMs. */
const story = Scenario.parse(
  parse(`
name: from webhook to recorded send
triggers:
  - { id: hello, name: Hello, category: transactional, on: { kind: [message], direction: [inbound], customer: { isNew: [true] } }, send: { channels: [sms], template: t } }
  - { id: followup, name: Follow up, category: service, on: { kind: [message], channel: [whatsapp] }, wait: 1h, send: { channels: [sms], template: t } }
  - { id: offer, name: Offer, category: marketing, on: { kind: [message], channel: [email] }, send: { channels: [email], template: t }, goal: { on: { kind: [message] }, within: 2h } }
customers: [{ identifiers: ["email:grace@example.org"], consent: { email: granted } }]
steps: [{ at: 2026-03-02T09:00:00Z, advance: 1s }]
expect: {}
`),
);

export interface Ending {
  readonly broken: readonly string[];
  /** The calls of functions in their order, from the first webhook on. */
  readonly calls: readonly Call[];
  /** Messages sent, by trigger. */
  readonly sent: Readonly<Record<string, number>>;
}

/** Tells the story through the front door, as providers do: what is not answered with 2xx they send again. */
export const tell = async (assembly: Assembly, cuts: readonly Cut[] = []): Promise<Ending> => {
  const calls: Call[] = [];
  const stage = await openScenarioHub(story, '.', { assembly, functions: mortal(cuts, calls) });
  try {
    const { secrets, sms, whatsapp, mail } = providers(publicUrl);
    const manager = new SecretsManagerClient(clientConfig(stage.runtime));
    for (const [provider, secret] of Object.entries(secrets))
      await manager.send(
        new PutSecretValueCommand({
          SecretId: `acme/channels/${provider}`,
          SecretString: JSON.stringify(secret),
        }),
      );
    await runSteps(stage, { ...story, steps: [{ at: '2026-03-02T09:00:00.000Z', advance: 1000 }] }, '.');
    const [from, user] = ['+14155550100', 'US.1'];
    const acts: readonly (readonly [string, (at: number) => Webhook])[] = [
      [`phone:${from}`, () => sms({ id: 'SM1', from, text: 'first' })],
      [`whatsapp-user:${user}`, (at) => whatsapp({ id: 'wamid.1', user, text: 'second', at })],
      [`phone:${from}`, (at) => whatsapp({ id: 'wamid.2', user, from, text: 'third', at })],
      ['email:grace@example.org', (at) => mail({ id: 'm1', from: 'grace@example.org', text: 'fourth', at })],
    ];
    const told: Acknowledged = {
      acknowledged: acts.map(([identifier], at) => ({
        identifier,
        text: ['first', 'second', 'third', 'fourth'][at] ?? '',
      })),
      refused: [],
      unanswered: [],
    };
    for (const [, webhook] of acts) {
      await deliver(stage, webhook(stage.clock.now()));
      await stage.clock.runUntil(stage.clock.now() + MINUTE);
    }
    await stage.clock.runUntilIdle(stage.clock.now() + 86_400_000);
    const sent: Record<string, number> = {};
    for (const { tags } of stage.cloud.sentMessages.list()) {
      const [trigger = ''] = (tags?.['notification'] ?? '').split(/[._]/u);
      sent[trigger] = (sent[trigger] ?? 0) + 1;
    }
    return { broken: await brokenInvariants(stage, told), calls, sent };
  } finally {
    await stage.cloud.stop();
    await stage.crms.stop();
  }
};

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
