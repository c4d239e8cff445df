import { EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import { expect, it } from 'vitest';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import { openTestHub } from '../support/open-test-hub.ts';

it('deletes the rules of triggers with the stack, also when CloudFormation asks twice', async () => {
  const { cloud, runtime, stop } = await openTestHub();
  const events = new EventBridgeClient(clientConfig(runtime));
  const published = async (): Promise<string[]> => {
    const { Rules = [] } = await events.send(new ListRulesCommand({ EventBusName: 'tributary-acme' }));
    return Rules.flatMap(({ Name = '' }) => (Name.startsWith('trigger-') ? [Name] : []));
  };
  expect((await published()).length).toBeGreaterThan(0);
  for (let times = 0; times < 2; times++) {
    await cloud.runCustomResources('Delete');
    expect(await published()).toEqual([]);
  }
  await stop();
});
