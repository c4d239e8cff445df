import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { lineFinder, parseConfigFile } from '../../core/config/config-file.ts';
import { mappedObjects } from '../../core/crm/check/check.ts';
import { type Examination, examineAccount } from '../../core/crm/check/examination.ts';
import type { MappingFinding } from '../../core/crm/check/part.ts';
import {
  type Call,
  type CrmConnector,
  type CrmSession,
  type Finding,
  unsharedToken,
} from '../../core/crm/connector.ts';
import { CrmMapping } from '../../core/crm/mapping/mapping.ts';
import { configFileName, mappingsFolder } from '../../infra/stack/seed.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { sanitize } from '../terminal/sanitize.ts';
import type { CrmSecret } from './secret.ts';

const TIMEOUT_MS = 120_000;

/** A mapping file, with the line of each of its keys. */
export interface MappingFile {
  readonly name: string;
  readonly mapping: CrmMapping;
  readonly lineOf: (path: readonly PropertyKey[]) => number;
}

/** Reads the mapping of a CRM. Throws `HubError` `invalid-configuration`, or `invalid-arguments` where there is no file. */
export const readMapping = (crm: string): MappingFile => {
  const name = configFileName(`crm/${crm}.yaml`);
  const path = join(mappingsFolder(), 'crm', `${crm}.yaml`);
  const text = ((): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      throw badArguments(`There is no ${path}. Copy the shipped mapping of ${crm} there.`);
    }
  })();
  return { name, mapping: parseConfigFile(name, text, CrmMapping), lineOf: lineFinder(text) };
};

/** An account of a CRM to which the command has logged in. */
export interface CrmAccount {
  readonly session: CrmSession;
  readonly call: Call;
}

/** Logs in to a CRM. Rejects with a `CrmFault` that names the wrong part. The call budget of the hub is not used. */
export const openAccount = async (connector: CrmConnector, secret: CrmSecret): Promise<CrmAccount> => {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return {
    session: await connector.open(secret, unsharedToken, signal),
    call: {
      signal,
      spend: async () => {},
      sleep: (milliseconds) => setTimeout(milliseconds, undefined, { signal }),
      now: Date.now,
    },
  };
};

/** Looks at an account; see `examineAccount`. */
export const lookAt = (
  connector: CrmConnector,
  { session, call }: CrmAccount,
  { mapping }: MappingFile,
): Promise<Examination> => examineAccount(connector, session, mapping, call);

/** The objects of a mapping whose key field the CRM does not show. */
export const withoutKeyField = (
  { mapping }: MappingFile,
  { described }: Examination,
): { readonly object: string; readonly key: string }[] =>
  mappedObjects(mapping).filter(({ object, key }) => described.get(object)?.has(key) === false);

const mark = (ok: boolean): string => (ok ? '✓' : '✗');

/** What was found in the account, a line each. */
export const accountLines = (findings: readonly Finding[]): string[] =>
  findings.map(({ about, says, ok }) => `${mark(ok)} ${about.padEnd(12)} ${sanitize(says)}`);

/** What the check of a mapping found: the faults first, each with its place. */
export const mappingLines = ({ name, lineOf }: MappingFile, findings: readonly MappingFinding[]): string[] =>
  findings
    .toSorted((one, other) => Number(one.ok) - Number(other.ok))
    .flatMap(({ path, says, advice, ok }) => [
      `${ok ? '!' : '✗'} ${name}:${lineOf(path)} ${path.join('.')}`,
      `    ${sanitize(says)}`,
      `    ${sanitize(advice)}`,
    ]);

/** How many faults and remarks there are, in a line. Of a CRM that describes no object there is nothing to compare with. */
export const mappingSummary = (
  { mapping, name }: MappingFile,
  findings: readonly MappingFinding[],
  { size }: Examination['described'],
): string => {
  if (size === 0 && findings.length === 0)
    return `✓ ${name} is valid; nothing of this CRM describes its fields, so it is what refuses a wrong one.`;
  const faults = findings.filter(({ ok }) => !ok).length;
  const remarks = findings.length - faults;
  const objects = mappedObjects(mapping)
    .map(({ object }) => object)
    .join(', ');
  const hint = remarks === 0 ? '' : `; ${remarks} ${remarks === 1 ? 'remark' : 'remarks'} (!)`;
  return faults === 0
    ? `✓ ${name} fits ${objects}${hint}.`
    : `✗ ${name} does not fit: ${faults} ${faults === 1 ? 'fault' : 'faults'}${hint}.`;
};
