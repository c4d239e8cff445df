import { listWords, providerCatalogue, secretNamesOf } from '../../../cli/deployment/provider-catalogue.ts';
import { mappingOf, providerIds } from '../../../connectors/registry.ts';
import { stopWords } from '../../../core/consent/consent-words.ts';
import { identifierTypes } from '../../../core/identity/identifier.ts';
import type { Vouching } from '../../../core/webhooks/vouching.ts';

/** Replaces the lines between `<!-- name: npm run generate -->` and `<!-- /name -->`. Throws where a marker is missing. */
export const replaceSection = (text: string, name: string, lines: readonly string[]): string => {
  const [opening, closing] = [`<!-- ${name}: npm run generate -->`, `<!-- /${name} -->`];
  const [start, end] = [text.indexOf(opening), text.indexOf(closing)];
  if (start < 0 || end < start)
    throw new Error(`The file must contain ${opening} and, after it, ${closing}. Add both markers.`);
  return `${text.slice(0, start)}${opening}\n${lines.join('\n')}\n${text.slice(end)}`;
};

/** A README with an up-to-date table of providers. */
export const withCatalogue = (readme: string): string =>
  replaceSection(readme, 'providers', [
    '| provider | | channels | kinds | secrets (`?` may be left out) |',
    '|---|---|---|---|---|',
    ...providerCatalogue().map(({ connector, mapping }) => {
      const { id, title, docs } = connector;
      return `| [\`${id}\`](${docs}) | ${title} | ${listWords(mapping.channels)} | ${listWords(mapping.kinds)} | ${secretNamesOf(connector)} |`;
    }),
  ]);

/** A guide with an up-to-date table of identifier types. */
export const withIdentifiers = (guide: string): string =>
  replaceSection(guide, 'identifiers', [
    '| identifier | what it names |',
    '|---|---|',
    ...Object.entries(identifierTypes).map(
      ([type, { value, about }]) => `| \`${type}:${value}\` | ${about} |`,
    ),
    '| `<provider>:<id>` | a person as that provider knows them, such as `shopify:1042` |',
  ]);

const scopeOf = ({ type, on = {} }: Vouching): string =>
  [
    type === '*' ? 'any' : `\`${type}\``,
    ...(on.direction ? [on.direction] : []),
    ...(on.kinds ? [listWords(on.kinds)] : []),
    ...(on.channels ? [`in ${listWords(on.channels)}`] : []),
  ].join(', ');

const proofOf = ({ proof }: Vouching): string =>
  typeof proof === 'object' ? `proven if ${proof.provenIf}` : proof;

/** A guide with an up-to-date table of who vouches for each field of each provider. */
export const withVouching = (guide: string): string =>
  replaceSection(guide, 'vouching', [
    '| provider | field | identifier | proof | why |',
    '|---|---|---|---|---|',
    ...providerIds.flatMap((id) =>
      mappingOf(id).vouching.map(
        (row) => `| \`${id}\` | ${row.field} | ${scopeOf(row)} | ${proofOf(row)} | ${row.why} |`,
      ),
    ),
  ]);

/** A guide with an up-to-date table of the words that end messages. */
export const withStopWords = (guide: string): string =>
  replaceSection(guide, 'stop-words', [
    '| language | words |',
    '|---|---|',
    ...Object.entries(stopWords).map(
      ([language, words]) => `| ${language} | ${words.map((word) => `\`${word}\``).join(' ')} |`,
    ),
  ]);
