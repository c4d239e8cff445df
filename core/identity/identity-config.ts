import * as z from 'zod';
import { nearestWord } from '../config/nearest.ts';
import { shippedBlock } from './block-list.ts';
import type { LinkScope } from './crm/accounts.ts';
import { type Identifier, identifierType } from './identifier.ts';

const IdentifierRule = z.strictObject({
  priority: z.int().nonnegative().describe('a smaller number is stronger'),
  limit: z.int().nonnegative().describe('how many identifiers of this type one customer may own; 0: none'),
  strong: z
    .boolean()
    .optional()
    .describe('customers that own different values of a strong type are never merged automatically'),
});

const BlockPattern = z.string().transform((source, context) => {
  try {
    return new RegExp(source, 'u');
  } catch (error) {
    context.addIssue({ code: 'custom', message: `expected a regular expression: ${String(error)}` });
    return z.NEVER;
  }
});

const defaults = {
  identifiers: {
    'user-id': { priority: 1, limit: 1, strong: true },
    email: { priority: 2, limit: 5 },
    phone: { priority: 3, limit: 5 },
    '*': { priority: 4, limit: 5 },
    anonymous: { priority: 9, limit: 20 },
  },
  block: shippedBlock,
  shared: [],
};

/** The CRMs of the product. */
const crms: ReadonlySet<string> = new Set(['salesforce', 'hubspot', 'servicenow']);

const oneAccountEach: ReadonlyMap<string, LinkScope> = new Map();

const IdentityFile = z.strictObject({
  identifiers: z
    .record(z.string(), IdentifierRule)
    .default(defaults.identifiers)
    .describe('by type; `"*"` is for every type that is not named'),
  block: z
    .strictObject({
      values: z.array(z.string()).default([]).describe('whole values, in any case'),
      patterns: z.array(BlockPattern).default([]).describe('regular expressions'),
    })
    .prefault(defaults.block)
    .describe('values that programs and people write for nothing: never an identifier'),
  shared: z
    .array(z.string())
    .default(defaults.shared)
    .describe('addresses of several people, as `type:value`: on the interaction, but they join nobody'),
  proof: z
    .record(z.string(), z.enum(['claimed', 'proven']))
    .default({})
    .describe(
      'by provider or `provider/account`: whether its identifiers are proven or claimed, whatever the hub assumes',
    ),
});

/**
 * `mappings/identity.yaml`. An absent key has the shipped value. `references`: the identifier types that are ids of records
 * in a CRM; `scopes`: by CRM, what their links begin with. The running configuration replaces them by the CRMs that hub.yaml
 * switches on, and the accounts in use.
 */
export const IdentityConfig = IdentityFile.transform((file) => ({
  ...file,
  references: crms,
  scopes: oneAccountEach,
}));
export type IdentityConfig = z.output<typeof IdentityConfig>;

/** `IdentityConfig` whose `proof` names known providers only: a misspelt one would be ignored in silence. */
export const identityConfigFor = (providers: readonly string[]) =>
  IdentityConfig.superRefine(({ proof }, context) => {
    for (const key of Object.keys(proof)) {
      const [provider = ''] = key.split('/');
      if (providers.includes(provider)) continue;
      const nearest = nearestWord(provider, providers);
      context.addIssue({
        code: 'custom',
        path: ['proof', key],
        message: `the hub has no provider ${provider}${nearest === undefined ? '; the README lists them' : `; did you mean ${nearest}?`}`,
      });
    }
  });

/** The priority and limit of an identifier type; types that the configuration does not name share the rule of `*`. */
export const ruleFor = (config: IdentityConfig, type: string): z.infer<typeof IdentifierRule> =>
  config.identifiers[type] ?? config.identifiers['*'] ?? defaults.identifiers['*'];

/** Whether an identifier is the id of a record in a CRM: it finds a customer, but alone it makes none. */
export const isCrmReference = (
  { references }: Pick<IdentityConfig, 'references'>,
  identifier: Identifier,
): boolean => references.has(identifierType(identifier));

/** Strongest first; equal priorities keep their order. */
export const sortByStrength = (identifiers: readonly Identifier[], config: IdentityConfig): Identifier[] =>
  identifiers
    .map((identifier, position) => ({
      identifier,
      position,
      priority: ruleFor(config, identifierType(identifier)).priority,
    }))
    .sort((one, other) => one.priority - other.priority || one.position - other.position)
    .map(({ identifier }) => identifier);
