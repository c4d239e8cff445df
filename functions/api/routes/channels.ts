import type { ShownChannel } from '../../aws/operations/channels.ts';
import { json, type Routes } from './route.ts';

export interface ChannelPorts {
  /** What has come of the webhooks of providers; `unknown` stands for all that are not switched on. */
  readonly channels: (ids: readonly string[]) => Promise<readonly ShownChannel[]>;
  /** The providers that are switched on. */
  readonly providers: () => Promise<readonly string[]>;
}

/** The providers whose webhooks the hub takes: since when deliveries come, and why webhooks were refused. */
export const channelRoutes: Routes<ChannelPorts> = {
  'GET /channels': async (_event, { channels, providers }) => {
    const all = await channels([...(await providers()), 'unknown']);
    return json(200, { items: all.slice(0, -1), unknown: all.at(-1)?.refused ?? null });
  },
};
