import * as z from 'zod';
import { Channel, instant } from '../../../../core/interaction/interaction.ts';
import { type Notification, notificationId } from '../../../../core/triggers/notification.ts';
import { answerAsOf } from '../../../../core/triggers/why/as-of.ts';
import { signEvidence } from '../../../../core/triggers/why/evidence.ts';
import { consentWords, explain, summaryOf } from '../../../../core/triggers/why/sentences.ts';
import {
  type DecisionRecord,
  type ExplanationPorts,
  readDecision,
} from '../../../aws/triggers/explanation.ts';
import type { Notifications } from '../../../aws/triggers/notifications.ts';
import { hiddenLinks, recordedCustomer, renderedWith } from '../../../aws/triggers/rendered.ts';
import type { Guests } from '../../../contracts/ports/guests.ts';
import type { StoredInteraction } from '../../../contracts/ports/history.ts';
import { problem } from '../../../middleware/http.ts';
import { json, pathParameter, type Route, type Routes, withCustomer } from '../route.ts';

export interface NotificationPorts extends ExplanationPorts {
  readonly guests: Pick<Guests, 'guestsOf' | 'ownerFor'>;
  readonly notifications: Pick<Notifications, 'get' | 'ofCustomer'>;
  /** An interaction by its id, whichever customer it belongs to. */
  readonly interaction: (id: string) => Promise<StoredInteraction | undefined>;
  /** The name of the hub, on sheets of evidence. */
  readonly hubName: string;
  readonly signingKeys: () => Promise<readonly string[]>;
  readonly now: () => number;
}

const Query = z.strictObject({ limit: z.coerce.number().int().min(1).max(200).default(20) });

/** Decisions of triggers: about a customer, and one of them explained. */
export const notificationRoutes: Routes<NotificationPorts> = {
  /** Newest first: sent, suppressed, failed and waiting; also those that guests shown with the customer have caused. */
  'GET /customers/{id}/notifications': async (event, ports) => {
    const query = Query.safeParse(event.queryStringParameters ?? {});
    if (!query.success) return problem(400, 'invalid-query', z.prettifyError(query.error));
    return withCustomer<NotificationPorts>(async (customer, _event, { notifications, guests }) => {
      const shown = [customer, ...(await guests.guestsOf(customer))];
      const sourceProfiles = shown.flatMap((one) => one.sourceProfiles);
      const found = await notifications.ofCustomer({ sourceProfiles });
      return json(200, { items: found.slice(0, query.data.limit).map(lineOf) });
    })(event, ports);
  },
  'GET /notifications/{id}': withNotification(async (notification, ports) => {
    const record = await readDecision(ports, notification);
    return json(200, {
      ...lineOf(notification),
      ...{ steps: notification.steps, sentences: sentencesOf(notification, record), nearest: record.nearest },
    });
  }),
  /** Everything about the decision on one signed sheet. */
  'GET /notifications/{id}/evidence': withNotification(async (notification, ports) => {
    const record = await readDecision(ports, notification);
    const [secret] = await ports.signingKeys();
    if (secret === undefined)
      return problem(503, 'temporary-failure', 'The hub has no signing key. Run `hub doctor`.');
    const { trigger, triggerVersion } = notification;
    const { version: _, ...row } = notification;
    const sheet = {
      ...{ format: 'tributary-decision-1', hub: ports.hubName, madeAt: instant(ports.now()) },
      ...{
        id: notificationId(notification),
        sentences: sentencesOf(notification, record),
        notification: row,
      },
      trigger: (await ports.triggers.stored(trigger, triggerVersion))?.definition ?? null,
      interaction: record.cause ?? null,
      consent: record.answers.filter(
        ({ channel, at }) => channel === notification.channel && at <= decidedAt(notification),
      ),
      body: await bodyOf(notification, record, ports),
    };
    return json(200, signEvidence(sheet, secret));
  }),
};

/** The id is `<trigger>.<interaction>` or `<trigger>.<interaction>.<step>`; ids of triggers and names of steps have no dot. */
function withNotification(
  route: (notification: Notification, ports: NotificationPorts) => ReturnType<Route<NotificationPorts>>,
): Route<NotificationPorts> {
  return async (event, ports) => {
    const [, trigger = '', id = ''] = /^([^.]+)\.(.+)$/su.exec(pathParameter(event, 'id')) ?? [];
    const found = (await ofInteraction(ports, trigger, id, undefined)) ?? (await ofStep(ports, trigger, id));
    return found === undefined
      ? problem(
          404,
          'unknown-notification',
          'There is no decision with this id. `hub why IDENTIFIER` lists those about a customer.',
        )
      : route(found, ports);
  };
}

const ofInteraction = async (
  { interaction, notifications }: NotificationPorts,
  trigger: string,
  id: string,
  step: string | undefined,
): Promise<Notification | undefined> => {
  const cause = id === '' ? undefined : await interaction(id);
  if (cause === undefined) return undefined;
  const named = { profileId: cause.profileId, trigger, interaction: id };
  return notifications.get(step === undefined ? named : { ...named, step });
};

const ofStep = async (
  ports: NotificationPorts,
  trigger: string,
  id: string,
): Promise<Notification | undefined> => {
  const [, interaction = '', step] = /^(.+)\.([^.]+)$/su.exec(id) ?? [];
  return ofInteraction(ports, trigger, interaction, step);
};

const decidedAt = ({ decidedAt: time, at }: Notification): string => time ?? at;

/** A decision in a list. */
const lineOf = (notification: Notification): object => {
  const { trigger, triggerVersion, status, reason, channel, addresses, template, until } = notification;
  return {
    id: notificationId(notification),
    ...{ trigger, version: triggerVersion, category: notification.category, status, reason, channel },
    ...{ addresses, template, until, at: notification.at, decidedAt: decidedAt(notification) },
    ...{ interaction: notification.interaction, summary: summaryOf(notification), goal: notification.goal },
  };
};

const sentencesOf = (notification: Notification, { version, cause, answers }: DecisionRecord): string[] => {
  const channel = notification.channel ?? channelLookedAt(notification);
  return explain(notification, {
    ...{ trigger: version?.trigger, cause },
    ...(channel !== undefined && {
      consent: consentWords(channel, answerAsOf(answers, channel, decidedAt(notification))),
    }),
  });
};

/** The first channel that a decision looked at, where it chose none. */
const channelLookedAt = ({ steps }: Notification): Channel | undefined => {
  const looked = steps.flatMap(({ step }) => /^channel (.+)$/u.exec(step)?.[1] ?? []);
  return Channel.safeParse(looked[0]).data;
};

/** The text as it was stored when it was sent, else rendered by the version that decided; null where nothing was sent. */
const bodyOf = async (
  notification: Notification,
  { version, cause }: DecisionRecord,
  { history, hub }: NotificationPorts,
): Promise<object | null> => {
  if (!['sent', 'sending', 'failed'].includes(notification.status)) return null;
  const customer = await history.customer(notification.profileId);
  const id = notificationId(notification);
  const around = { after: instant(Date.parse(notification.at) - 1), upTo: notification.at };
  if (customer && notification.status === 'sent')
    for await (const one of history.timeline(customer, around))
      if (one.kind === 'notification' && one.properties?.['notification'] === id)
        return { from: 'kept', subject: one.subject, text: one.text };
  if (version === undefined || cause === undefined) return null;
  const source = { version, cause, customer: recordedCustomer(cause), hub: await hub() };
  const { subject, text, html } = renderedWith(hiddenLinks, notification, source);
  return { from: 'rendered', subject, text, html };
};
