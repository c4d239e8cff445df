import { connectorOf, mappingOf, providerIds } from '../../connectors/registry.ts';
import type { SenderDeclaration } from '../../core/triggers/sending/sender-declaration.ts';
import type { ChannelConnector, ChannelMapping } from '../../core/webhooks/channel.ts';

interface ProviderEntry {
  readonly connector: ChannelConnector;
  readonly mapping: ChannelMapping;
}

/** Every registered provider. */
export const providerCatalogue = (): ProviderEntry[] =>
  providerIds.map((id) => ({ connector: connectorOf(id), mapping: mappingOf(id) }));

/** A longer list of words is shown as `all`. */
const LONGEST_LIST = 15;
export const listWords = (words: readonly string[]): string =>
  words.length > LONGEST_LIST ? 'all' : words.join(', ');

/** The names of the secrets of a provider or sender; `?` marks the optional ones. */
export const secretNamesOf = ({ secrets }: Pick<ChannelConnector, 'secrets'>): string =>
  Object.entries(secrets)
    .map(([name, { optional }]) => (optional === true ? `${name}?` : name))
    .join(', ');

/** A provider in a few lines of text. */
export const describeProvider = ({ connector, mapping }: ProviderEntry): string => {
  const { id, title, docs, methods = [], content } = connector;
  return [
    `${id}  ${title}`,
    `  channels  ${listWords(mapping.channels)}`,
    `  kinds     ${listWords(mapping.kinds)}`,
    `  secrets   ${secretNamesOf(connector)}`,
    `  methods   ${['POST', ...methods].join(', ')}`,
    ...(content === undefined ? [] : ['  files     stored in the bucket, because the provider deletes them']),
    `  docs      ${docs}`,
  ].join('\n');
};

/** A sender in a few lines of text. */
export const describeSender = (sender: SenderDeclaration<never>): string => {
  const secrets = secretNamesOf(sender);
  return [
    `${sender.id}  ${sender.title}, as sender`,
    `  sends     ${listWords(sender.channels)}`,
    `  secrets   ${secrets === '' ? 'none: the role of the function' : secrets}`,
    `  docs      ${sender.docs}`,
  ].join('\n');
};
