import { channels } from '../connectors/channels/index.ts';
import type { ChannelConnector, ChannelMapping } from '../core/channel.ts';
import { mappings } from '../mappings/channels/index.ts';

export interface Entry {
  readonly connector: ChannelConnector;
  readonly mapping: ChannelMapping;
}

/** Every provider that the hub knows, as the code declares it. */
export const catalogue = (): Entry[] =>
  Object.entries(channels).flatMap(([id, connector]) => {
    const mapping = mappings[id];
    return mapping === undefined ? [] : [{ connector, mapping }];
  });

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

const MARKERS = ['<!-- providers: npm run generate -->', '<!-- /providers -->'] as const;

/** A README with the table of providers between its markers as the code has it. */
export const withCatalogue = (readme: string): string => {
  const [start, end] = MARKERS.map((marker) => readme.indexOf(marker));
  if (start === undefined || end === undefined || start < 0 || end < start)
    throw new Error(`The README has lost ${MARKERS.join(' or ')}.`);
  const rows = catalogue().map(({ connector, mapping }) => {
    const { id, title, docs } = connector;
    return `| [\`${id}\`](${docs}) | ${title} | ${listed(mapping.channels)} | ${listed(mapping.kinds)} | ${secretsOf(connector)} |`;
  });
  const table = [
    '| provider | | channels | kinds | secrets (`?` may be left out) |',
    '|---|---|---|---|---|',
    ...rows,
  ];
  return `${readme.slice(0, start)}${MARKERS[0]}\n${table.join('\n')}\n${readme.slice(end)}`;
};
