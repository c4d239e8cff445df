import * as z from 'zod';
import type { HubConfig } from '../../../../core/config/hub-config.ts';
import type { Customer } from '../../../../core/identity/customer.ts';
import { identifierType, identifierValue } from '../../../../core/identity/identifier.ts';
import { normaliseIdentifier } from '../../../../core/identity/normalise.ts';
import { snapshotCustomer } from '../../../../core/interaction/customer-snapshot.ts';
import { Channel, Direction, Interaction, instant, Kind } from '../../../../core/interaction/interaction.ts';
import { entryAsCause } from '../../../../core/triggers/audience/entry.ts';
import type { Decision } from '../../../../core/triggers/decision.ts';
import { cachedPattern, matches } from '../../../../core/triggers/pattern/index.ts';
import { readTriggerFile } from '../../../../core/triggers/publishing/publishable.ts';
import { sendingTrigger } from '../../../../core/triggers/series/sending-trigger.ts';
import { GivenTrigger } from '../../../../core/triggers/template-files.ts';
import { stepWords } from '../../../../core/triggers/why/sentences.ts';
import { outcomeWords } from '../../../../core/triggers/why/words.ts';
import { type DecisionPorts, decideWithoutEffect } from '../../../aws/triggers/decide-without-effect.ts';
import { hiddenLinks, renderedWith } from '../../../aws/triggers/rendered.ts';
import type { TriggerVersion } from '../../../aws/triggers/triggers.ts';
import type { History, StoredInteraction } from '../../../contracts/ports/history.ts';
import type { TestMessageRow } from '../../../contracts/rows/triggers.ts';
import { problem } from '../../../middleware/http.ts';
import { type Answer, json, type Routes, withBody } from '../route.ts';
import type { TriggerPorts } from './triggers.ts';

export interface TestPorts extends TriggerPorts, Omit<DecisionPorts, 'history'> {
  readonly history: History;
  /** The source profile that owns a normalised identifier, else its guest. */
  readonly owner: (identifier: string) => Promise<string | undefined>;
  readonly interaction: (id: string) => Promise<StoredInteraction | undefined>;
  /** Stores a test message and queues it. */
  readonly sendTest: (profileId: string | undefined, message: TestMessageRow) => Promise<string>;
}

/** An interaction that did not happen: what is not given is as of an inbound message now. */
const Invented = Interaction.pick({ text: true, subject: true, properties: true }).extend({
  kind: Kind.default('message'),
  channel: Channel.default('web'),
  direction: Direction.default('inbound'),
  provider: z.string().default('standard'),
});

const Test = z.strictObject({
  /** Any identifier of the customer. */
  customer: z.string(),
  /** A published trigger by its id, or one as a file has it. */
  trigger: z.union([z.string(), GivenTrigger]),
  /** An interaction of the customer by its id, or an invented one. Default: the newest one that sets the trigger off. */
  interaction: z.union([z.string(), Invented]).optional(),
  /** An address of one's own to which the message is sent as a test, such as email:me@acme.example. Nothing else is sent. */
  sendTo: z.string().optional(),
});

/** So many interactions are looked at for one that sets the trigger off. */
const MOST_READ = 2000;

/** Decides now for one customer by the code that decides live, and changes nothing. */
export const testRoutes: Routes<TestPorts> = {
  'POST /triggers/test': withBody('invalid-trigger', Test, async (asked, _event, ports) => {
    const version = await versionOf(asked.trigger, ports);
    if (!('trigger' in version)) return version;
    const identifier = normaliseIdentifier(asked.customer) ?? asked.customer;
    const profileId = await ports.owner(identifier);
    const customer = profileId === undefined ? undefined : await ports.history.customer(profileId);
    if (customer === undefined)
      return problem(404, 'unknown-customer', `No customer owns ${asked.customer}.`);
    const cause = await causeOf(asked.interaction, customer, version, ports);
    if (cause === undefined)
      return problem(
        404,
        'unsuitable-interaction',
        `No interaction of this customer sets ${version.trigger.id} off, of the newest ${MOST_READ}. Invent one: --interaction '{ kind: order }'.`,
      );
    const now = ports.now();
    const hub = await ports.hub();
    const first = await decideAt(now, false, { hub, version, customer, cause }, ports);
    const steps = [viewOf(now, first, { hub, version, customer, cause })];
    if (first.decision === 'wait') {
      const later = await decideAt(first.until, true, { hub, version, customer, cause }, ports);
      steps.push(viewOf(first.until, later, { hub, version, customer, cause }));
    }
    const sent =
      asked.sendTo === undefined ? undefined : testMessage(asked.sendTo, { hub, version, customer, cause });
    if (sent !== undefined && !('text' in sent)) return sent;
    if (sent !== undefined) await ports.sendTest(customer.id, sent);
    return json(200, {
      ...{ trigger: version.trigger.id, customer: customer.id },
      ...(sent && { sentTo: asked.sendTo }),
      interaction: {
        ...{ id: cause.id, kind: cause.kind, channel: cause.channel, occurredAt: cause.occurredAt },
        setsItOff: version.trigger.on === undefined || matches(cachedPattern(version.trigger.on), cause),
      },
      decisions: steps,
    });
  }),
};

interface Tried {
  readonly hub: HubConfig;
  readonly version: TriggerVersion;
  readonly customer: Customer;
  readonly cause: StoredInteraction;
}

const versionOf = async (
  asked: z.output<typeof Test>['trigger'],
  { publishing, hub }: TestPorts,
): Promise<TriggerVersion | Answer> => {
  if (typeof asked === 'string') {
    const current = await publishing.triggers.current(asked);
    const version = current && (await publishing.triggers.version(asked, current.version));
    return version ?? problem(404, 'unknown-trigger', `There is no published trigger ${asked}.`);
  }
  const read = readTriggerFile(asked, await hub(), publishing.templateFaults);
  if ('trigger' in read) return { trigger: read.trigger, templates: asked.templates };
  const [{ file, line, key, message } = { file: '', line: 0, key: '', message: '' }] = read.faults;
  return problem(400, 'invalid-trigger', `${file}:${line}: ${key}: ${message}`);
};

const causeOf = async (
  asked: z.output<typeof Test>['interaction'],
  customer: Customer,
  { trigger }: TriggerVersion,
  ports: TestPorts,
): Promise<StoredInteraction | undefined> => {
  if (typeof asked === 'string') return ports.interaction(asked);
  if (asked !== undefined) {
    const now = instant(ports.now());
    return {
      ...{ id: 'test', ...asked },
      ...{ occurredAt: now, receivedAt: now, profileId: customer.id },
      identifiers: [...customer.identifiers],
      customer: snapshotCustomer(customer, customer.id, false),
    };
  }
  if (trigger.on === undefined) {
    const address = { id: 'test', profileId: customer.id, occurredAt: instant(ports.now()) };
    return entryAsCause(address, customer);
  }
  const pattern = cachedPattern(trigger.on);
  let read = 0;
  for await (const past of ports.history.timeline(customer, { order: 'newest' })) {
    if (matches(pattern, past)) return past;
    if (++read >= MOST_READ) return undefined;
  }
  return undefined;
};

/** The event counts as arriving now, however old its interaction is. */
const decideAt = async (at: number, waited: boolean, tried: Tried, ports: TestPorts): Promise<Decision> => {
  const question = { ...tried, arrivedAt: ports.now(), waited };
  return (await decideWithoutEffect({ ...ports, now: () => at }, question)).decision;
};

const viewOf = (at: number, decision: Decision, { hub, version, customer, cause }: Tried): object => ({
  at: instant(at),
  ...decision,
  ...(decision.decision === 'wait' && { until: instant(decision.until) }),
  summary: `It would ${outcomeWords(decision)}.`,
  sentences: decision.steps.map(stepWords),
  ...(decision.decision === 'send' && messageOf(decision, { hub, version, customer, cause })),
});

const channelsByType: Readonly<Record<string, Channel>> = { email: 'email', phone: 'sms', push: 'push' };

/** The message of the trigger's template for the channel of an address, whatever was decided; or why there is none. */
const testMessage = (sendTo: string, source: Tried): TestMessageRow | Answer => {
  const address = normaliseIdentifier(sendTo);
  const channel = address === undefined ? undefined : channelsByType[identifierType(address)];
  if (address === undefined || channel === undefined)
    return problem(
      400,
      'invalid-identifier',
      'A test message goes to an address such as email:me@acme.example, phone:+14155550100 or push:<app>:<device>.',
    );
  const { template } = sendingTrigger(source.version.trigger, undefined).send;
  const { subject, from, text, html } = renderedWith(hiddenLinks, { channel, template }, source);
  return {
    ...{ channel, to: identifierValue(address), text },
    ...(subject !== undefined && { subject }),
    ...(from !== undefined && { from }),
    ...(html !== undefined && { html }),
  };
};

/** The message, or why it cannot be rendered: a variable that this customer does not have. */
const messageOf = (
  { channel, template, approved, causeOnly }: Extract<Decision, { decision: 'send' }>,
  source: Tried,
): object => {
  try {
    const chosen = { channel, template, ...(approved && { approved }), ...(causeOnly && { causeOnly }) };
    return { message: renderedWith(hiddenLinks, chosen, source) };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
};
