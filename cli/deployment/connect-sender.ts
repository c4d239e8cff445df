import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { httpSenderOf } from '../../connectors/senders/index.ts';
import { HubConfig } from '../../core/config/hub-config.ts';
import type { HttpContext } from '../../core/triggers/sending/http-sender.ts';
import type { SenderDeclaration } from '../../core/triggers/sending/sender-declaration.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { readCrmSecret, writeCrmSecret } from '../crm/secret.ts';
import { askSecretValues } from './ask-secrets.ts';
import { checkSender } from './sender-account.ts';

/**
 * Asks for the secret of a sender, has its vendor check it, and stores it if the vendor accepts it. Resolves to the exit
 * code. `steps`: stores nothing and prints what to do next.
 */
export const connectSender = async (
  { id, docs }: Pick<SenderDeclaration<never>, 'id' | 'docs'>,
  { steps }: { readonly steps: boolean },
): Promise<number> => {
  const sender = httpSenderOf(id);
  if (sender === undefined) {
    console.log(
      `${id} is a service of AWS and needs no secret; \`hub doctor\` looks at its account. ${docs}`,
    );
    return 0;
  }
  const seed = HubConfig.parse(readSeed().hub);
  if (!steps && !(await storeSecret(sender, process.env['HUB'] ?? seed.name))) return 1;
  for (const [at, step] of nextSteps(sender, seed).entries()) console.log(`${at + 1}. ${step}`);
  console.log(`Documentation of the vendor: ${sender.docs}`);
  return 0;
};

/** Resolves to whether the vendor accepts the secret. */
const storeSecret = async (sender: SenderDeclaration<HttpContext>, hub: string): Promise<boolean> => {
  const client = new SecretsManagerClient({});
  const name = `${hub}/senders/${sender.id}`;
  const stored = await readCrmSecret(client, name);
  const given = await askSecretValues(
    sender,
    stored && Object.fromEntries(Object.entries(stored).map(([field, value]) => [field, [value]])),
  );
  const secret = {
    ...stored,
    ...Object.fromEntries(Object.entries(given).map(([field, [value = '']]) => [field, value])),
  };
  const { state, detail } = await checkSender(sender, secret);
  if (state !== 'ok') {
    console.error(`✗ ${detail}\n✗ The secret was not stored.`);
    return false;
  }
  await writeCrmSecret(client, name, secret);
  console.log(`✓ The secret ${detail}.\n✓ Stored in ${name}: ${Object.keys(secret).join(', ')}.`);
  return true;
};

const nextSteps = (
  { id, channels, provider }: SenderDeclaration<HttpContext>,
  hub: Pick<HubConfig, 'senders' | 'channels'>,
): readonly string[] => {
  const isUsed = Object.values(hub.senders).some(({ use }) => use.includes(id));
  const entries = channels.map((channel) => `${channel}: ${id}`).join(', ');
  return [
    isUsed
      ? `hub.yaml names ${id} already: its messages are sent from now on.`
      : `Name it in mappings/hub.yaml, for one channel or more: senders: { ${entries} }, and deploy.`,
    Object.hasOwn(hub.channels, provider)
      ? `What becomes of a message, and answers to it, come by the webhooks of ${provider}, which hub.yaml takes: \`hub connect ${provider} --steps\` says what to enter in its console.`
      : `What becomes of a message, and answers to it, come by the webhooks of ${provider}: list it under channels in mappings/hub.yaml, deploy, and run \`hub connect ${provider}\`.`,
  ];
};
