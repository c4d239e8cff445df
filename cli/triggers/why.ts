import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { evidenceFault, SignedEvidence } from '../../core/triggers/why/evidence.ts';
import { findCustomer } from '../client/customers.ts';
import { hubOfEnvironment } from '../client/environment.ts';
import type { HubConnection } from '../client/request.ts';
import { explainNotification, getEvidence, listNotifications } from '../client/triggers/notifications.ts';
import { CONNECTION_HELP } from '../command.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { sanitize, sanitizeJson } from '../terminal/sanitize.ts';

export const usage = `Usage: hub why IDENTIFIER [--last N]
       hub why NOTIFICATION [--evidence [--out FILE]]
       hub why --verify FILE

  IDENTIFIER      such as email:ada@example.com: the last decisions of triggers about the customer, newest first: sent,
                  suppressed, waiting
  NOTIFICATION    the id that the list shows: what set it off, each check with the values compared, which consent, and the
                  nearest change that would have decided otherwise
  --evidence      everything about the decision on one signed sheet, with the text of the message, as JSON
  --verify FILE   check the signature of such a sheet; needs no hub

${CONNECTION_HELP}`;

const MOST_LISTED = 200;

/** `hub why …` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      last: { type: 'string', default: '20' },
      evidence: { type: 'boolean', default: false },
      out: { type: 'string' },
      verify: { type: 'string' },
    },
  });
  if (values.verify !== undefined) return verify(values.verify);
  const [asked] = positionals;
  if (asked === undefined) {
    console.error(usage);
    return 2;
  }
  const hub = hubOfEnvironment();
  if (values.evidence) return saveEvidence(hub, asked, values.out);
  if (isIdentifier(asked)) return list(hub, asked, values.last);
  const { sentences, nearest } = await explainNotification(hub, asked);
  for (const sentence of sentences) console.log(sanitize(sentence));
  if (nearest.length > 0) console.log('Nearest change:');
  for (const sentence of nearest) console.log(`  ${sanitize(sentence)}`);
  return 0;
};

/** Ids of notifications begin with the id of a trigger and a dot; a type of identifiers is followed by a colon. */
const isIdentifier = (text: string): boolean => /^[^.:]+:/u.test(text);

const list = async (hub: HubConnection, identifier: string, last: string): Promise<number> => {
  const limit = Number(last);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LISTED)
    throw badArguments(`--last takes a whole number up to ${MOST_LISTED}, such as --last 20.`);
  const found = await listNotifications(hub, (await findCustomer(hub, identifier)).id, limit);
  for (const { id, at, trigger, version, summary } of found)
    console.log(`${at}  ${sanitize(trigger)} v${version}  ${sanitize(summary)}\n  ${sanitize(id)}`);
  if (found.length === 0) console.log('No trigger has decided about this customer.');
  return 0;
};

const saveEvidence = async (hub: HubConnection, id: string, file: string | undefined): Promise<number> => {
  const signed = await getEvidence(hub, id);
  if (file === undefined) console.log(sanitizeJson(signed, 2));
  else {
    writeFileSync(file, `${JSON.stringify(signed, null, 2)}\n`);
    console.log(`Saved ${file}. Check it with \`hub why --verify ${file}\`.`);
  }
  return 0;
};

/** 1 where the sheet is not valid. */
const verify = (file: string): number => {
  const signed = SignedEvidence.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  const fault = signed.success ? evidenceFault(signed.data) : 'The file is not a sheet of evidence.';
  if (!signed.success || fault !== undefined) {
    console.error(`The sheet is not valid: ${fault}`);
    return 1;
  }
  const { evidence, key } = signed.data;
  console.log(
    `Signed with the key ${sanitize(key.kid)}. Compare it with the keys of the hub: GET /erasures/keys.`,
  );
  for (const sentence of evidence.sentences) console.log(sanitize(sentence));
  return 0;
};
