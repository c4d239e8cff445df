import { EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import { expect, it } from 'vitest';
import { VirtualClock } from '../../core/clock.ts';
import { inProcess } from '../../infra/local/runtime/client.ts';
import { type Cloud, startCloud } from '../../infra/local/runtime/cloud.ts';
import { eventPatterns } from '../../infra/scenario/event-patterns.ts';
import { hubFunctions } from '../../infra/scenario/hub-functions.ts';
import { assembly } from '../../infra/stack/assembly.ts';

it('takes the rules of triggers away when the stack is deleted, also when asked twice', async () => {
  const synthesised = await assembly();
  let ids = 0;
  const world = {
    now: () => 0,
    newId: () => `00000000-0000-4000-8000-${String(ids++).padStart(12, '0')}`,
    random: () => 0.5,
  };
  const services: { open?: Pick<Cloud, 'aws'> } = {};
  const opened = (): Pick<Cloud, 'aws'> => {
    if (services.open) return services.open;
    throw new Error('The services are not open yet.');
  };
  const invoke = hubFunctions(synthesised, opened, world);
  const cloud = await startCloud({
    patterns: eventPatterns,
    assembly: synthesised,
    clock: new VirtualClock(0),
    ...world,
    file: ':memory:',
    publicUrl: 'https://hub.example.com',
    awsUrl: 'http://127.0.0.1',
    invoke,
    onService: (service) => {
      services.open = service;
    },
    onError: () => {},
  });
  const { requestHandler } = inProcess((request) => cloud.aws(request));
  const credentials = { accessKeyId: 'TEST', secretAccessKey: 'test' };
  const events = new EventBridgeClient({ region: 'eu-south-1', credentials, requestHandler });
  const published = async (): Promise<string[]> => {
    const { Rules = [] } = await events.send(new ListRulesCommand({ EventBusName: 'tributary-acme' }));
    return Rules.flatMap(({ Name = '' }) => (Name.startsWith('trigger-') ? [Name] : []));
  };
  expect((await published()).length).toBeGreaterThan(0);
  for (let times = 0; times < 2; times++) {
    await cloud.runCustomResources('Delete');
    expect(await published()).toEqual([]);
  }
  await cloud.stop();
});
