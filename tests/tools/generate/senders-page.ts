import { connectorOf } from '../../../connectors/registry.ts';
import { senderDeclarations } from '../../../connectors/senders/index.ts';
import type { Limit } from '../../../core/config/duration.ts';
import { replaceSection } from './catalogue.ts';

const perSecond = ({ count, windowMs }: Limit): string =>
  `${count} per ${windowMs === 1000 ? 'second' : `${windowMs / 1000} seconds`}`;

/** `docs/providers/senders.md` with what each sender sends, needs and may send. */
export const withSenders = (page: string): string =>
  replaceSection(
    page,
    'senders',
    senderDeclarations.flatMap(({ id, title, docs, provider, channels, secrets, usual }) => {
      const fields = Object.entries(secrets);
      return [
        `## ${title}`,
        '',
        `\`${id}\` sends ${channels.join(' and ')} · ${fields.length === 0 ? 'needs no secret' : `\`npx hub connect ${id} --sender\``} · ${connectorOf(provider) ? `reports come from \`${provider}\`` : 'no reports'}${usual?.rate ? ` · at most ${perSecond(usual.rate)}` : ''} · [documentation](${docs})`,
        '',
        ...(fields.length === 0
          ? []
          : [
              '| secret | what it is |',
              '|---|---|',
              ...fields.map(
                ([name, { about, optional }]) =>
                  `| \`${name}\`${optional === true ? ' (may be left out)' : ''} | ${about} |`,
              ),
              '',
            ]),
      ];
    }),
  );

/** A page with a list of the senders by the channels that they serve. */
export const withSenderList = (page: string): string =>
  replaceSection(page, 'senders', [
    '| sender | sends | |',
    '|---|---|---|',
    ...senderDeclarations.map(
      ({ id, channels, title }) => `| \`${id}\` | ${channels.join(', ')} | ${title} |`,
    ),
  ]);
