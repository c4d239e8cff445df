import { openHub, readApiKey } from '../../../infra/scenario/hub/open-hub.ts';

// A hub as a process of its own, which a test kills: `hub-child.ts STATE AHEAD`. It ends with its parent.

const [, , state = '', ahead = '0'] = process.argv;
const hub = await openHub(
  { port: 0, publicUrl: 'https://acme.example', state, clockOffsetMs: Number(ahead) },
  () => {},
);
process.on('disconnect', () => process.exit());
process.send?.({ url: hub.apiUrl, key: await readApiKey(hub) });
