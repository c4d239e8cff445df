import { DatabaseSync } from 'node:sqlite';
import { Client } from '@hubspot/api-client';
import { AssociationSpecAssociationCategoryEnum } from '@hubspot/api-client/lib/codegen/crm/objects/models/AssociationSpec.js';
import { afterEach, expect } from 'vitest';
import { z } from 'zod';
import {
  type HubspotOptions,
  type HubspotSandbox,
  hubspotSandbox,
} from '../../../infra/sandbox/hubspot/sandbox.ts';
import type { Webhook } from '../../../infra/sandbox/hubspot/webhooks.ts';
import { answerFaults, requestFaults } from '../../support/crm/hubspot-models.ts';

export const START = Date.parse('2026-03-01T12:00:00Z');
export const WEBHOOK = { url: 'https://hub.example/hubspot', clientSecret: 'signs webhooks' };

const running: HubspotSandbox[] = [];
afterEach(async () => {
  for (const sandbox of running.splice(0)) await sandbox.stop();
});

export const open = async (options: HubspotOptions = {}, db = new DatabaseSync(':memory:')) => {
  const webhooks: Webhook[] = [];
  const clock = { now: START };
  const sandbox = await hubspotSandbox(db, {
    now: () => clock.now,
    report: (webhook) => webhooks.push(webhook),
    webhook: WEBHOOK,
    customProperties: [
      { object: 'contacts', name: 'hub_id', unique: true },
      { object: 'contacts', name: 'vip', type: 'bool' },
    ],
    ...options,
  });
  running.push(sandbox);
  const events = () =>
    webhooks
      .splice(0)
      .flatMap(({ body }) => z.array(z.record(z.string(), z.unknown())).parse(JSON.parse(body)));
  return { sandbox, clock, webhooks, events };
};

export const clientOf = (sandbox: HubspotSandbox, accessToken = sandbox.secret['accessToken']): Client =>
  new Client({ basePath: sandbox.url, accessToken: String(accessToken), numberOfApiCallRetries: 0 });

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever the answer has.
  readonly body: any;
}

/** A request over plain HTTP. What is accepted must be right by HubSpot's models, and so must its answer. */
export const send = async (
  sandbox: HubspotSandbox,
  method: string,
  path: string,
  body?: unknown,
  token = sandbox.secret['accessToken'],
): Promise<Answer> => {
  const response = await fetch(`${sandbox.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed = text.startsWith('<') || text === '' ? text : JSON.parse(text);
  if (response.ok && path.startsWith('/crm/') && !text.startsWith('<')) {
    expect(requestFaults(method, path, body)).toEqual([]);
    if (response.status !== 204) expect(answerFaults(method, path, response.status, parsed)).toEqual([]);
  }
  return { status: response.status, headers: response.headers, body: parsed };
};

export const OBJECTS = '/crm/objects/2026-09';
export const SMS = {
  hs_timestamp: '2026-03-01T12:00:00Z',
  hs_communication_channel_type: 'SMS',
  hs_communication_logged_from: 'CRM',
};
export const spec = (associationTypeId: number) => ({
  associationCategory: AssociationSpecAssociationCategoryEnum.HubspotDefined,
  associationTypeId,
});
