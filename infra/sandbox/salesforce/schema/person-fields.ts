import { type Field, field, lookup, text } from './fields.ts';

const personFlag = field('IsPersonAccount', 'boolean', { createable: false, updateable: false });

/**
 * What an org with person accounts has besides: https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_guidelines_personaccounts.htm
 */
export const personFields: Readonly<Record<string, readonly Field[]>> = {
  Contact: [personFlag],
  Account: [
    personFlag,
    lookup('PersonContactId', ['Contact'], undefined, { createable: false, updateable: false }),
    ...[text('FirstName', 40), text('LastName', 80), text('PersonTitle', 80)],
    ...[
      field('PersonEmail', 'email'),
      field('PersonMobilePhone', 'phone'),
      field('PersonHomePhone', 'phone'),
    ],
  ],
};
