import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { HubConfig } from '../../core/config/hub-config.ts';
import { readMailbox } from '../../core/formats/mail/mime.ts';
import { sendersOf } from '../../core/triggers/message/source.ts';
import type { TemplateFiles } from '../../core/triggers/template-files.ts';
import { mappingsFolder, readTemplates, type Seed } from './seed.ts';

type Templates = Readonly<Record<string, TemplateFiles>>;

const sendersIn = (templates: Templates): string[] => Object.values(templates).flatMap(sendersOf);

const hasVariables = (sender: string): boolean => /\{[{%]/u.test(sender);

/**
 * The domains that the owner of an account verifies for a configuration: that of `alarms`, from which mails are sent that
 * name no sender, and those of the senders that templates name. A sender with variables is not among them.
 */
export const senderDomains = ({ alarms }: Pick<HubConfig, 'alarms'>, templates: Templates): string[] => {
  const senders = [alarms, ...sendersIn(templates).filter((sender) => !hasVariables(sender))];
  return [...new Set(senders.map((sender) => domainOf(readMailbox(sender).address)))];
};

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);

/** The sender domains of the configuration that is deployed. */
export const deployedSenderDomains = (folder = mappingsFolder()): string[] =>
  senderDomains(
    HubConfig.parse(parse(readFileSync(join(folder, 'hub.yaml'), 'utf8')) ?? {}),
    readTemplates(join(folder, 'templates')),
  );

/** The addresses that the hub may send from, as an IAM condition writes them; any, where a template computes its sender. */
export const senderPatterns = (hub: HubConfig, { templates }: Pick<Seed, 'templates'>): string[] =>
  sendersIn(templates).some(hasVariables)
    ? ['*']
    : senderDomains(hub, templates).map((domain) => `*@${domain}`);
