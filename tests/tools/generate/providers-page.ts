import { providerCatalogue } from '../../../cli/deployment/provider-catalogue.ts';
import { stepsOf } from '../../../cli/deployment/provider-steps.ts';
import { replaceSection } from './catalogue.ts';

/** `docs/providers/connecting.md` with the steps and secrets of each provider. */
export const withProviderSteps = (page: string): string =>
  replaceSection(
    page,
    'providers',
    providerCatalogue().flatMap(({ connector: { id, title, docs, secrets } }) => [
      `## ${title}`,
      '',
      `\`npx hub connect ${id}\` · [about its signatures](${docs})`,
      '',
      ...stepsOf(id, `https://HUB/webhooks/${id}`).map((step, at) => `${at + 1}. ${step}`),
      '',
      '| secret | what it is |',
      '|---|---|',
      ...Object.entries(secrets).map(
        ([name, { about, optional }]) =>
          `| \`${name}\`${optional === true ? ' (may be left out)' : ''} | ${about} |`,
      ),
      '',
    ]),
  );
