import { sampleValue } from '../../formats/liquid.ts';
import type { Interaction } from '../../interaction/interaction.ts';
import { type TemplateVariables, variablesFor } from '../template.ts';
import type { Trigger } from '../trigger.ts';

/** The links of a message that nobody gets: their pages say that the link is not complete. */
export const exampleLinks = (base = 'https://hub.example') => ({
  unsubscribe: `${base}/unsubscribe/example`,
  preferences: `${base}/preferences/example`,
  confirm: `${base}/confirm/example`,
});

/** What an invented trigger says of itself where there is none. */
export const exampleTrigger = { id: 'example', name: 'Example', category: 'service' } as const;

const OCCURRED_AT = '2026-03-02T11:00:00.000Z';

/** What an invented customer did. */
export const exampleCause: Interaction = {
  ...{ id: 'example', kind: 'message', channel: 'email', provider: 'standard', direction: 'inbound' },
  ...{ occurredAt: OCCURRED_AT, identifiers: ['email:ada@example.com'] },
};

/** The interaction that an invented customer caused, as far as the pattern of a trigger says what it is. */
const causeOf = ({ kind, channel, direction }: NonNullable<Trigger['on']>): Partial<Interaction> =>
  Object.fromEntries(
    Object.entries({ kind, channel, direction }).flatMap(([key, allowed]) => {
      const first: unknown = Array.isArray(allowed) ? allowed[0] : undefined;
      return typeof first === 'string' ? [[key, first]] : [];
    }),
  );

interface Invention {
  /** In place of the customer of whom everything is known. */
  readonly person?: Pick<TemplateVariables, 'customer' | 'interaction'>;
  readonly trigger?: Trigger | undefined;
  readonly language?: string | undefined;
}

/**
 * The variables of an invented message: Ada Lovelace, of whom everything is known. A trait and a property show as their names
 * in brackets, since nobody knows what they hold.
 */
export const inventedVariables = ({
  person,
  trigger,
  language = 'en',
}: Invention = {}): TemplateVariables => {
  const known = variablesFor(
    trigger ?? exampleTrigger,
    {
      ...{ id: 'example', language, timeZone: 'Europe/Rome', stage: 'customer', tags: ['vip'] },
      ...{ name: { full: 'Ada Lovelace' }, preferences: { channel: 'email' }, traits: {} },
    },
    {
      ...{ ...exampleCause, ...(trigger?.on && causeOf(trigger.on)) },
      ...{ text: 'Hello', subject: 'Hello', attachments: [{ name: 'order.pdf' }] },
    },
    exampleLinks(),
  );
  return {
    ...known,
    customer: { ...known.customer, traits: sampleValue('trait') },
    interaction: { ...known.interaction, properties: sampleValue('property') },
    ...person,
  };
};

/** Somebody of whom nothing is known but what every customer has, and `given`: paths of variables, such as `customer.stage`. */
export const barePerson = (
  given: ReadonlySet<string>,
): Pick<TemplateVariables, 'customer' | 'interaction'> => {
  const { customer, interaction } = variablesFor(
    exampleTrigger,
    {
      ...{ id: 'example', name: {}, tags: [], traits: {}, preferences: {} },
      ...{ language: undefined, timeZone: undefined, stage: undefined },
    },
    exampleCause,
    {},
  );
  const paths = [...given].map((path) => path.split('.'));
  const filled = (root: string, value: object): object =>
    paths.reduce<object>((all, [first, ...rest]) => (first === root ? withPath(all, rest) : all), value);
  return { customer: filled('customer', customer), interaction: filled('interaction', interaction) };
};

const withPath = (value: object, [first = '', ...rest]: readonly string[]): object => {
  const present: unknown = Object.entries(value).find(([key]) => key === first)?.[1];
  const inner =
    rest.length === 0
      ? sampleValue(first)
      : withPath(typeof present === 'object' && present !== null ? present : {}, rest);
  return { ...value, [first]: inner };
};
