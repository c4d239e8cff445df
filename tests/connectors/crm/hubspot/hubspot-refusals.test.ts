import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrmRecord, CrmSession } from '../../../../core/crm/connector.ts';
import { CrmFault } from '../../../../core/crm/fault.ts';
import {
  type Answer,
  caught,
  faultIn,
  limitOf,
  problemOf,
  record,
  refusalOf,
  type ScriptedHubspot,
  scriptedHubspot,
  WRITTEN,
} from './scripted-hubspot.ts';

describe('HubSpot refuses a record', () => {
  let hub: ScriptedHubspot;
  let session: CrmSession;

  beforeEach(async () => {
    hub = await scriptedHubspot();
    session = await hub.open();
  });
  afterEach(async () => {
    await hub.stop();
    expect(hub.invalid).toEqual([]);
  });

  const contacts = (records: readonly CrmRecord[]) => session.upsert('contacts', 'hub_id', records, hub.call);
  /** The fault of a record, whether the call resolved with it or rejected. */
  const faultOf = async (records: readonly CrmRecord[] = [record('a')]): Promise<unknown> => {
    const outcome = await caught(contacts(records));
    return Array.isArray(outcome) ? outcome.map(faultIn).find((fault) => fault !== undefined) : outcome;
  };

  const afterSeconds = (seconds: number) => ({ afterSeconds: seconds });

  // What HubSpot answers to a single record, and the fault that it is.
  it.each<[string, Answer, object]>([
    [
      'batch-create-invalid-properties-400',
      {
        status: 400,
        body: {
          ...problemOf('PROPERTY_DOESNT_EXIST', 'first000name', 'Property "first000name" does not exist'),
          errors: [
            {
              ...{ message: 'Property "first000name" does not exist', code: 'PROPERTY_DOESNT_EXIST' },
              context: { propertyName: ['first000name'] },
            },
          ],
        },
      },
      { scope: 'object', why: 'setup', field: 'first000name', retry: 'never' },
    ],
    [
      'a property that is only read',
      {
        status: 400,
        body: problemOf(
          'READ_ONLY_VALUE',
          'hs_x',
          '"hs_x" is a read only property; its value cannot be set.',
        ),
      },
      { scope: 'object', why: 'setup', field: 'hs_x' },
    ],
    [
      'validation-error-400',
      {
        status: 400,
        body: refusalOf('VALIDATION_ERROR', 'Something.', {
          errors: [
            {
              message: 'discount was not a valid number',
              code: 'INVALID_INTEGER',
              context: { propertyName: ['discount'] },
            },
          ],
        }),
      },
      {
        scope: 'record',
        why: 'invalid',
        field: 'discount',
        code: 'hubspot-invalid-integer',
        retry: 'never',
      },
    ],
    [
      'invalid-email-400',
      { status: 400, body: problemOf('INVALID_EMAIL', 'email', 'Email address name@domain.bad is invalid') },
      { scope: 'record', why: 'invalid', field: 'email', code: 'hubspot-invalid-email' },
    ],
    [
      'an option that the property lacks',
      {
        status: 400,
        body: problemOf('INVALID_OPTION', 'lifecyclestage', 'x was not one of the allowed options'),
      },
      { scope: 'record', why: 'invalid', field: 'lifecyclestage' },
    ],
    [
      'a unique value of another record',
      {
        status: 400,
        body: problemOf(
          'CONFLICTING_UNIQUE_VALUE',
          'hub_id',
          'Cannot set it on 39951. 40051 already has that value.',
        ),
      },
      { scope: 'record', why: 'taken', field: 'hub_id', records: ['40051'] },
    ],
    [
      'batch-create-conflict-409',
      { status: 409, body: refusalOf('CONFLICT', 'Contact already exists') },
      { scope: 'record', why: 'taken', records: [], retry: 'never' },
    ],
    [
      'contact-exists-409',
      { status: 409, body: refusalOf('CONFLICT', 'Contact already exists. Existing ID: 12345') },
      { scope: 'record', why: 'taken', records: ['12345'] },
    ],
    [
      'upsert-non-unique-property-400',
      {
        status: 400,
        body: refusalOf(
          'VALIDATION_ERROR',
          'Unable to perform update/upsert by non-unique 0-2 property domain',
        ),
      },
      { scope: 'object', why: 'setup', field: 'domain' },
    ],
    [
      'search-unknown-object-400',
      { status: 400, body: refusalOf(undefined, 'Unable to infer object type from: butterflies') },
      { scope: 'object', why: 'setup' },
    ],
    [
      'missing-scopes-403',
      {
        status: 403,
        body: refusalOf('MISSING_SCOPES', 'One or more of the following scopes are required.', {
          context: {
            requiredGranularScopes: ['crm.objects.contacts.write'],
            links: ['https://developers.hubspot.com/scopes'],
          },
        }),
      },
      { scope: 'object', why: 'setup', message: expect.stringContaining('crm.objects.contacts.write') },
    ],
    [
      'too-many-merges-414',
      { status: 414, body: refusalOf(undefined, 'Cannot have more than 250 identities on a profile') },
      { scope: 'record', why: 'invalid' },
    ],
    [
      'locked-423',
      { status: 423, body: refusalOf('LOCKED', 'resource is locked') },
      { scope: 'record', why: 'raced', retry: afterSeconds(2) },
    ],
    [
      'rate-limit-ten-secondly-429',
      { status: 429, body: limitOf('TEN_SECONDLY_ROLLING') },
      { scope: 'connection', why: 'throttled', retry: afterSeconds(10) },
    ],
    [
      'rate-limit-ten-secondly-429 with Retry-After',
      { status: 429, headers: { 'retry-after': '7' }, body: limitOf('TEN_SECONDLY_ROLLING') },
      { scope: 'connection', why: 'throttled', retry: afterSeconds(7) },
    ],
    [
      'rate-limit-secondly-429',
      { status: 429, body: limitOf('SECONDLY') },
      { scope: 'connection', why: 'throttled', retry: afterSeconds(1) },
    ],
    [
      'rate-limit-daily-429',
      { status: 429, headers: { date: 'Tue, 03 Mar 2026 14:40:00 GMT' }, body: limitOf('DAILY') },
      { scope: 'connection', why: 'throttled', retry: afterSeconds(1200) },
    ],
    [
      'migration-in-progress-477',
      {
        status: 477,
        headers: { 'retry-after': '3600' },
        body: refusalOf(undefined, 'Migration in progress'),
      },
      { scope: 'connection', why: 'throttled', retry: afterSeconds(3600) },
    ],
    [
      'expired-token-401',
      {
        status: 401,
        body: refusalOf(
          'EXPIRED_AUTHENTICATION',
          'The OAuth token used to make this call expired 0 second(s) ago.',
        ),
      },
      { scope: 'connection', why: 'setup', message: expect.stringContaining('accessToken') },
    ],
    [
      'invalid-auth-401',
      { status: 401, body: refusalOf('INVALID_AUTHENTICATION', 'Authentication credentials not found.') },
      { scope: 'connection', why: 'setup', code: 'hubspot-invalid-authentication' },
    ],
    [
      'bad-gateway-502-html',
      { status: 502, text: '<html>bad gateway</html>' },
      { scope: 'connection', why: 'down', retry: 'later' },
    ],
    [
      'a page with 200',
      { status: 200, text: '<html>Sign in to the network</html>' },
      { scope: 'connection', why: 'down' },
    ],
    ['a page with 401', { status: 401, text: '<html>proxy</html>' }, { scope: 'connection', why: 'down' }],
    [
      'empty-inputs-silent-noop-200',
      { status: 200, body: { status: 'COMPLETE', results: [], startedAt: WRITTEN, completedAt: WRITTEN } },
      { scope: 'record', why: 'raced', retry: 'later' },
    ],
  ])('%s', async (_, answer, expected) => {
    hub.script = () => answer;
    const fault = await faultOf();
    expect(fault).toBeInstanceOf(CrmFault);
    expect(fault).toMatchObject(expected);
    expect(hub.asked).toHaveLength(1);
  });

  it('says nothing of the values that HubSpot refuses', async () => {
    hub.script = () => ({
      status: 400,
      body: problemOf('INVALID_EMAIL', 'email', 'Email address name@domain.bad is invalid'),
    });
    const fault = await faultOf();
    expect(fault instanceof CrmFault && fault.message).toContain('c0895ebf-9e3e-4b7d-b6e6-124e02d3f9c3');
    expect(fault instanceof CrmFault && fault.message).not.toContain('domain.bad');
  });
});
