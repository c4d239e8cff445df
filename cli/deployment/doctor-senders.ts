import { SecretsManagerClient, type SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { httpSenderOf } from '../../connectors/senders/index.ts';
import { type HubConfig, usedSenders } from '../../core/config/hub-config.ts';
import { readCrmSecret } from '../crm/secret.ts';
import type { Finding } from './doctor-hub.ts';
import { checkSender } from './sender-account.ts';

/** Whether the vendor of each sender that hub.yaml names accepts its secret. */
export const examineSenders = (
  aws: Pick<SecretsManagerClientConfig, 'region' | 'credentials' | 'requestHandler'>,
  hub: HubConfig,
): Promise<Finding[]> => {
  const client = new SecretsManagerClient(aws);
  const declarations = [...usedSenders(hub)].sort().flatMap((id) => httpSenderOf(id) ?? []);
  return Promise.all(
    declarations.map(async (sender): Promise<Finding> => {
      try {
        return await checkSender(
          sender,
          (await readCrmSecret(client, `${hub.name}/senders/${sender.id}`)) ?? {},
        );
      } catch (error) {
        const name = error instanceof Error ? error.name : 'an error';
        return { state: 'unknown', subject: `sender ${sender.id}`, detail: `AWS answered ${name}` };
      }
    }),
  );
};
