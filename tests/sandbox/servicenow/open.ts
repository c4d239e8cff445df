import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect } from 'vitest';
import * as z from 'zod';
import type { Report } from '../../../infra/sandbox/servicenow/data/instance.ts';
import {
  type ServicenowOptions,
  type ServicenowSandbox,
  servicenowSandbox,
} from '../../../infra/sandbox/servicenow/server.ts';

const START = Date.parse('2026-03-01T12:10:00Z');
export const HEX = expect.stringMatching(/^[0-9a-f]{32}$/u);
export const CUSTOMERS = '/api/now/table/customer_contact';
export const INTERACTIONS = '/api/now/table/interaction';
export const IMPORT = '/api/now/import/u_hub_customer_import';
const fields = { u_hub_id: 'u_hub_id', u_first_name: 'first_name', u_user_name: 'user_name' };
export const customers = {
  table: 'u_hub_customer_import',
  transformMap: { name: 'Hub customers', target: 'customer_contact', coalesce: ['u_hub_id'], fields },
};

const running: ServicenowSandbox[] = [];
afterEach(async () => {
  for (const sandbox of running.splice(0)) await sandbox.stop();
});

export const open = async (options: ServicenowOptions = {}, db = new DatabaseSync(':memory:')) => {
  const clock = { now: START };
  const reports: Report[] = [];
  const sandbox = await servicenowSandbox(db, {
    now: () => clock.now,
    report: (report) => reports.push(report),
    customFields: ['customer_contact', 'interaction'].map((table) => ({
      ...{ table, name: 'u_hub_id', unique: true },
    })),
    importTables: [customers],
    ...options,
  });
  running.push(sandbox);
  const { username, password } = sandbox.basicSecret;
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const send = async (method: string, path: string, body?: unknown, authorization = basic) => {
    const response = await fetch(`${sandbox.url}${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever the answer has.
    const parsed: any = /^[{[]/u.test(text) ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body: parsed };
  };
  return { sandbox, clock, reports, send };
};

export const failure = (message: string, detail: string | null) => ({
  ...{ error: { message, detail }, status: 'failure' },
});

export const logIn = async (sandbox: ServicenowSandbox, more: Readonly<Record<string, string>> = {}) => {
  const response = await fetch(`${sandbox.url}/oauth_token.do`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: String(sandbox.secret['clientId']),
      client_secret: String(sandbox.secret['clientSecret']),
      ...more,
    }),
  });
  const body = z.record(z.string(), z.unknown()).parse(await response.json());
  return { status: response.status, body, bearer: `Bearer ${body['access_token']}` };
};
