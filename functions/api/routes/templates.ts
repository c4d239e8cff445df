import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod';
import type { HubConfig } from '../../../core/config/hub-config.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import { normaliseIdentifier } from '../../../core/identity/normalise.ts';
import { Channel } from '../../../core/interaction/interaction.ts';
import { templateFaults } from '../../../core/triggers/message/faults.ts';
import {
  exampleCause,
  exampleLinks,
  exampleTrigger,
  inventedVariables,
} from '../../../core/triggers/message/invented.ts';
import { type FilePreview, previewTemplate } from '../../../core/triggers/message/preview.ts';
import { cachedPattern, matches } from '../../../core/triggers/pattern/index.ts';
import { variablesFor } from '../../../core/triggers/template.ts';
import { media, mediumOf, type TemplateFiles } from '../../../core/triggers/template-files.ts';
import { Trigger } from '../../../core/triggers/trigger.ts';
import type { Triggers } from '../../aws/triggers/triggers.ts';
import type { StoredInteraction } from '../../contracts/ports/history.ts';
import type { TestMessageRow } from '../../contracts/rows/triggers.ts';
import { problem } from '../../middleware/http.ts';
import type { CustomerPorts } from './customers/customers.ts';
import { type Answer, json, type Routes, withBody } from './route.ts';

export interface TemplatePorts extends Pick<CustomerPorts, 'history' | 'owner'> {
  /** Whether the owner of an address has closed it. */
  readonly isClosed: (identifier: string) => Promise<boolean>;
  readonly triggers: Triggers;
  readonly hub: () => Promise<HubConfig>;
  /** Resolves to the id of the test. `profileId`: of the customer whose data it shows, if it shows any. */
  readonly sendTest: (profileId: string | undefined, message: TestMessageRow) => Promise<string>;
}

const asked = {
  template: z.string().regex(/^[\w-]{1,64}$/u, 'expected the name of a template'),
  /** As they stand in the folder of the template, with its layouts; without, those that `trigger` was published with. */
  files: z.record(z.string(), z.string()).optional(),
  /** A published trigger by its id, or the trigger itself. */
  trigger: z.union([z.string(), Trigger]).optional(),
  /** An id or an identifier; without, an invented customer. */
  customer: z.string().optional(),
  language: z.string().max(35).optional(),
};
const PreviewRequest = z.strictObject({ ...asked, medium: z.enum(media).optional() });
const TestRequest = z.strictObject({ ...asked, to: z.string().min(3).max(320), channel: Channel });

/** Renderings of a template for a customer, and a test of it to an address. Neither changes anything. */
export const templateRoutes: Routes<TemplatePorts> = {
  'POST /templates/preview': withBody('invalid-preview', PreviewRequest, async (request, event, ports) => {
    const subject = await subjectOf(request, event, ports);
    if (!('preview' in subject)) return subject;
    const { customer, cause, preview } = subject;
    return json(200, {
      template: request.template,
      ...(customer && { customer: customer.id }),
      ...(cause && { interaction: cause.id }),
      items: preview(request.medium),
    });
  }),
  'POST /templates/test': withBody('invalid-preview', TestRequest, async (request, event, ports) => {
    const { template, channel } = request;
    const to = addressOf(channel, request.to);
    if (to === undefined)
      return problem(400, 'invalid-identifier', `${request.to} is no address for the channel ${channel}.`);
    if (await ports.isClosed(`${to.type}:${to.value}`))
      return problem(409, 'closed-address', `Nothing may be sent to ${to.value}: its owner has closed it.`);
    const subject = await subjectOf(request, event, ports);
    if (!('preview' in subject)) return subject;
    const [found] = subject.preview(mediumOf(channel));
    if (found?.text === undefined)
      return problem(
        400,
        'invalid-template',
        found?.fault ?? `The template ${template} has no file for the channel ${channel}.`,
      );
    const { file, text, html, subject: title, from } = found;
    const id = await ports.sendTest(subject.customer?.id, {
      ...{ channel, to: to.value, text },
      ...(html !== undefined && { html }),
      ...(title !== undefined && { subject: title }),
      ...(from !== undefined && { from }),
    });
    return json(202, { id, to: to.value, channel, file });
  }),
};

type Request = Omit<z.output<typeof PreviewRequest>, 'medium'>;

interface Subject {
  readonly customer: Customer | undefined;
  readonly cause: StoredInteraction | undefined;
  readonly preview: (medium: (typeof media)[number] | undefined) => FilePreview[];
}

/** What is rendered, and for whom. Resolves to the answer where the request names something that is not there. */
const subjectOf = async (
  request: Request,
  event: APIGatewayProxyEventV2,
  ports: TemplatePorts,
): Promise<Subject | Answer> => {
  const { template, language } = request;
  const found = await triggerOf(request.trigger, ports);
  if (found === 'missing')
    return problem(404, 'unknown-trigger', `There is no published trigger ${request.trigger}.`);
  const files = request.files ?? found?.templates?.[template];
  if (files === undefined)
    return problem(
      400,
      'invalid-preview',
      `Send the files of the template ${template}, or the id of a published trigger that uses it.`,
    );
  const faults = templateFaults(template, files);
  if (faults.length > 0) return problem(400, 'invalid-template', faults.join('\n'));
  const customer = request.customer === undefined ? undefined : await customerOf(request.customer, ports);
  if (request.customer !== undefined && customer === undefined)
    return problem(404, 'unknown-customer', `There is no customer ${request.customer}.`);
  const trigger = found?.trigger;
  const cause = customer && (await causeOf(customer, trigger, ports));
  const links = exampleLinks(`https://${event.requestContext.domainName}`);
  const { language: hub } = await ports.hub();
  const wanted = language ?? customer?.language;
  const isForOne = language !== undefined || customer !== undefined;
  return {
    ...{ customer, cause },
    preview: (medium) =>
      previewTemplate(
        template,
        files,
        (ofFile) =>
          customer
            ? variablesFor(trigger ?? exampleTrigger, customer, cause ?? exampleCause, links)
            : { ...inventedVariables({ trigger, language: ofFile }), links },
        { medium, hub, ...(isForOne && { languages: { customer: wanted, hub } }) },
      ),
  };
};

const triggerOf = async (
  named: Request['trigger'],
  { triggers }: TemplatePorts,
): Promise<
  | { readonly trigger: Trigger; readonly templates?: Readonly<Record<string, TemplateFiles>> }
  | 'missing'
  | undefined
> => {
  if (typeof named !== 'string') return named && { trigger: named };
  const current = await triggers.current(named);
  return (current && (await triggers.version(named, current.version))) ?? 'missing';
};

const customerOf = async (
  named: string,
  { history, owner }: TemplatePorts,
): Promise<Customer | undefined> => {
  if (!named.includes(':')) return history.customer(named);
  const identifier = normaliseIdentifier(named);
  const profileId = identifier === undefined ? undefined : await owner(identifier);
  return profileId === undefined ? undefined : history.customer(profileId);
};

/** So far back the interaction is looked for that would set the trigger off. */
const MOST_LOOKED_AT = 200;

/** The newest interaction that sets the trigger off; without a trigger, or if none does, the newest of all. */
const causeOf = async (
  customer: Customer,
  trigger: Trigger | undefined,
  { history }: TemplatePorts,
): Promise<StoredInteraction | undefined> => {
  let newest: StoredInteraction | undefined;
  let looked = 0;
  for await (const past of history.timeline(customer, { order: 'newest' })) {
    newest ??= past;
    if (trigger === undefined || looked++ >= MOST_LOOKED_AT) break;
    if (trigger.on !== undefined && matches(cachedPattern(trigger.on), past)) return past;
  }
  return newest;
};

/** Undefined where the channel does not reach such an address. */
const addressOf = (
  channel: Channel,
  to: string,
): { readonly type: string; readonly value: string } | undefined => {
  const type =
    channel === 'email' ? 'email' : channel === 'sms' || channel === 'whatsapp' ? 'phone' : channel;
  const identifier = normaliseIdentifier(to.startsWith(`${type}:`) ? to : `${type}:${to}`);
  return identifier === undefined ? undefined : { type, value: identifier.slice(type.length + 1) };
};
