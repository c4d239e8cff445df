import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { HubConfig } from '../../../core/config/hub-config.ts';
import { readMailbox } from '../../../core/formats/mail/mime.ts';
import { senderOf } from '../../../core/triggers/template.ts';
import type { TemplateFiles } from '../../../core/triggers/template-files.ts';
import { mappingsFolder, readTemplates } from '../../stack/seed.ts';

/**
 * The domains that the owner of an account verifies for a configuration: that of `alarms`, from which mails are sent that
 * name no sender, and those of the senders that templates name. A sender with variables is not among them.
 */
export const senderDomains = (
  { alarms }: Pick<HubConfig, 'alarms'>,
  templates: Readonly<Record<string, TemplateFiles>>,
): string[] => {
  const named = Object.values(templates).flatMap((files) => senderOf(files) ?? []);
  const senders = [alarms, ...named.filter((sender) => !/\{[{%]/u.test(sender))];
  return [...new Set(senders.map((sender) => domainOf(readMailbox(sender).address)))];
};

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);

/** The sender domains of the configuration that is deployed. */
export const deployedSenderDomains = (folder = mappingsFolder()): string[] =>
  senderDomains(
    HubConfig.parse(parse(readFileSync(join(folder, 'hub.yaml'), 'utf8')) ?? {}),
    readTemplates(join(folder, 'templates')),
  );
