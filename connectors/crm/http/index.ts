// docs/crm/http-crm.md
// Any CRM or contact centre, by the templates and rules of its own mapping. Without a unique key two workers may create the
// same record: with `unique: false` each looks again after its creation, and all keep the same one.

import type { CrmConnector, CrmSession, Finding } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { HttpSection } from '../../../core/crm/mapping/http.ts';
import { type ApiPorts, openApi } from './api.ts';
import { changes } from './changes.ts';
import { children, find, list, notMapped, read, type Target } from './read.ts';
import { remove, removeChildren } from './remove.ts';
import type { HttpEnvironment } from './request.ts';
import { addChildren, upsert } from './write.ts';

export interface HttpConnectorPorts {
  /** The name in hub.yaml. */
  readonly crm: string;
  readonly title: string;
  /** The section `http` of the mapping as it is now; the same object as long as it has not changed. */
  readonly section: () => Promise<HttpSection>;
  readonly world: HttpEnvironment;
}

/** A connector made of a mapping. Its budget and what the CRM keeps are those of the section that was read last. */
export const httpConnector = ({ crm, title, section, world }: HttpConnectorPorts): CrmConnector => {
  let present: HttpSection | undefined;
  const current = async (): Promise<HttpSection> => {
    present = await section();
    return present;
  };
  return {
    ...{ id: crm, title, changes: 'asked', values: 'typed', logins: [], docs: 'docs/crm/http-crm.md' },
    // What such a CRM refuses is known by its rules alone.
    describesNothing: true,
    // A template may name any link.
    hasLink: () => true,
    get budget() {
      return present?.budget ?? { calls: 10, seconds: 1 };
    },
    get keeps() {
      return present?.keeps ?? [];
    },
    async open(secret, shared, signal) {
      if (typeof secret !== 'object' || secret === null || Object.keys(secret).length === 0)
        throw new CrmFault(
          'http-setup',
          `The secret of ${title} is empty. Store what mappings/crm/${crm}.yaml names.`,
          {
            ...{ scope: 'connection', why: 'setup' },
          },
        );
      const session = sessionOf({ crm, title, secret, shared, world }, current);
      await session.logIn(signal);
      return session;
    },
  };
};

/** A change of the mapping is used by the next call. */
const sessionOf = (
  ports: Omit<ApiPorts, 'http'>,
  current: () => Promise<HttpSection>,
): CrmSession & { logIn(signal: AbortSignal): Promise<void> } => {
  let opened: { readonly http: HttpSection; readonly api: ReturnType<typeof openApi> } | undefined;
  const open = async () => {
    const http = await current();
    if (opened?.http !== http) opened = { http, api: openApi({ ...ports, http }) };
    return opened;
  };
  const target = async (object: string): Promise<Target> => {
    const { http, api } = await open();
    const section = Object.hasOwn(http.objects, object) ? http.objects[object] : undefined;
    if (section === undefined) throw notMapped({ api, object }, '');
    return { api, object, section };
  };
  return {
    async logIn(signal) {
      await (await open()).api.logIn(signal);
    },
    describe: async () => new Map(),
    find: async (object, ...rest) => find(await target(object), ...rest),
    read: async (object, ...rest) => read(await target(object), ...rest),
    list: async (object, ...rest) => list(await target(object), ...rest),
    changes: async (object, ...rest) => changes(await target(object), ...rest),
    upsert: async (object, ...rest) => upsert(await target(object), ...rest),
    addChildren: async (object, ...rest) => addChildren(await target(object), ...rest),
    children: async (object, ...rest) => children(await target(object), ...rest),
    removeChildren: async (object, ...rest) => removeChildren(await target(object), ...rest),
    remove: async (object, ...rest) => remove(await target(object), ...rest),
    account: async () => new URL((await open()).http.host).host,
    async examine(call) {
      const { http } = await open();
      const says =
        http.login === undefined
          ? `${http.host} has no login: the credentials go with each request.`
          : `The login at ${http.host} works.`;
      const findings: Finding[] = [{ about: ports.title, says, ok: true }];
      for (const object of Object.keys(http.objects))
        findings.push(await examined(await target(object), call));
      return findings;
    },
  };
};

/** Looks for a record that is not there. Rejects with a `CrmFault` of the connection, such as for refused credentials. */
const examined = async (one: Target, call: Parameters<CrmSession['examine']>[0]): Promise<Finding> => {
  const { object, section } = one;
  if (section.find.email === undefined)
    return { about: object, says: 'The first record will show whether it can be written.', ok: true };
  try {
    await find(one, 'email', ['nobody@example.invalid'], [], call);
    return { about: object, says: 'It can be read.', ok: true };
  } catch (error) {
    if (!(error instanceof CrmFault) || error.scope === 'connection') throw error;
    return { about: object, says: error.message, ok: false };
  }
};
