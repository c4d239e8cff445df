import { connectorOf, mappingOf, providerIds } from '../../../connectors/registry.ts';
import { identifierTypes } from '../../../core/identity/identifier.ts';
import type { ChannelConnector, ChannelMapping } from '../../../core/webhooks/channel.ts';

export interface Entry {
  readonly connector: ChannelConnector;
  readonly mapping: ChannelMapping;
}

/** Every provider that the hub knows, as the code declares it. */
export const catalogue = (): Entry[] =>
  providerIds.map((id) => ({ connector: connectorOf(id), mapping: mappingOf(id) }));

/** More than this is "everything", which a row of a table need not spell out. */
const MANY = 15;
const listed = (words: readonly string[]): string => (words.length > MANY ? 'all' : words.join(', '));

const secretsOf = ({ secrets }: ChannelConnector): string =>
  Object.entries(secrets)
    .map(([name, { optional }]) => (optional === true ? `${name}?` : name))
    .join(', ');

/** One provider in a few lines, for a terminal. */
export const describeEntry = ({ connector, mapping }: Entry): string => {
  const { id, title, docs, methods = [], setup, content } = connector;
  return [
    `${id}  ${title}`,
    `  channels  ${listed(mapping.channels)}`,
    `  kinds     ${listed(mapping.kinds)}`,
    `  secrets   ${secretsOf(connector)}`,
    `  methods   ${['POST', ...methods].join(', ')}`,
    ...(content === undefined ? [] : ['  files     kept in the bucket where the provider lets them expire']),
    ...(setup === undefined ? [] : [`  note      ${setup}`]),
    `  docs      ${docs}`,
  ].join('\n');
};

/** A text with something that the code knows between two markers: `<!-- name: npm run generate -->` and `<!-- /name -->`. */
const between = (text: string, name: string, lines: readonly string[]): string => {
  const [opening, closing] = [`<!-- ${name}: npm run generate -->`, `<!-- /${name} -->`];
  const [start, end] = [text.indexOf(opening), text.indexOf(closing)];
  if (start < 0 || end < start) throw new Error(`The file has lost ${opening} or ${closing}.`);
  return `${text.slice(0, start)}${opening}\n${lines.join('\n')}\n${text.slice(end)}`;
};

/** A README with the table of providers between its markers as the code has it. */
export const withCatalogue = (readme: string): string =>
  between(readme, 'providers', [
    '| provider | | channels | kinds | secrets (`?` may be left out) |',
    '|---|---|---|---|---|',
    ...catalogue().map(({ connector, mapping }) => {
      const { id, title, docs } = connector;
      return `| [\`${id}\`](${docs}) | ${title} | ${listed(mapping.channels)} | ${listed(mapping.kinds)} | ${secretsOf(connector)} |`;
    }),
  ]);

/** A guide with the table of identifiers between its markers as the code has it. */
export const withIdentifiers = (guide: string): string =>
  between(guide, 'identifiers', [
    '| identifier | what it names |',
    '|---|---|',
    ...Object.entries(identifierTypes).map(
      ([type, { value, about }]) => `| \`${type}:${value}\` | ${about} |`,
    ),
    '| `<provider>:<id>` | a person as that provider knows them, such as `shopify:1042` |',
  ]);
