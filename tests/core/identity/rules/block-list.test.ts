import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { IdentityConfig } from '../../../../core/identity/identity-config.ts';
import { usableIdentifiers } from '../../../../core/identity/normalise.ts';

const shipped = IdentityConfig.parse({});

it('mappings/identity.yaml states the values that hold where keys are absent', () => {
  const file = new URL('../../../../mappings/identity.yaml', import.meta.url);
  expect(IdentityConfig.parse(parse(readFileSync(file, 'utf8')))).toEqual(shipped);
});

describe('the shipped block list', () => {
  it.each([
    // An absent value as programs print it.
    ...[
      'null',
      'NULL',
      'nil',
      'None',
      'undefined',
      'NaN',
      'true',
      'False',
      '0',
      '-1',
      '[object Object]',
      '[]',
      '{}',
    ],
    ...['00000000-0000-0000-0000-000000000000', '0000', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'],
    // As people write it.
    ...[
      'unknown',
      'Guest',
      'TEST',
      'n/a',
      'xxx',
      'xxxxx',
      'AAAA',
      '---',
      '...',
      '???',
      '*****',
      'not_authenticated',
    ],
    // The field's name, or a template that nothing was filled into.
    ...[
      'user_id',
      'userId',
      'email',
      '{{user_id}}',
      '{{ contact.email }}',
      '%%id%%',
      '%id%',
      `\${user.id}`,
      '#{id}',
    ],
    ...[
      '{id}',
      '[email]',
      '[[id]]',
      '<user id>',
      '<%= id %>',
      '*|EMAIL|*',
      '__USER_ID__',
      'u-{{id}}',
      'ad***97',
    ],
  ])('holds %s', (value) => {
    const raw = [`user-id:${value}`, `anonymous:${value}`, `slack:T1:${value}`];
    expect(usableIdentifiers(raw, shipped)).toEqual([]);
  });

  it.each([
    ...[
      'none@none.com',
      'None@Gmail.com',
      'noemail@shop.example',
      'no-email@x.example',
      'null@null',
      'null@a.example',
    ],
    ...[
      'test@test.com',
      'x@x.it',
      'xxx@xxx.com',
      'a@a.co.uk',
      'asdf@asdf.com',
      'email@email.com',
      'a***@mail.example',
    ],
    ...['{{email}}@example.com', 'unknown@example.com', 'undefined@undefined.com'],
  ])('holds the address %s', (value) => {
    expect(usableIdentifiers([`email:${value}`], shipped)).toEqual([]);
  });

  it.each([
    ...[
      '+10000000000',
      '+1 (000) 000-0000',
      '+15555555555',
      '+0000000000',
      '0011111111111',
      '+390000000',
      '+9999999999',
    ],
    ...[
      '+1234567890',
      '+1 123 456 7890',
      '+12345678900',
      '+266696687',
      '+7378742833',
      '+86282452253',
      '+2562533',
    ],
  ])('holds the number %s', (value) => {
    expect(usableIdentifiers([`phone:${value}`], shipped)).toEqual([]);
  });

  it.each([
    ...['email:ada@example.com', 'email:nora@null.example', 'email:xavier@x.com', 'email:test@example.com'],
    ...[
      'email:guest@hotel.example',
      'email:norma@norma.example',
      'email:info@info.example',
      'email:a_b@example.com',
    ],
    ...[
      'email:anna@anna.example',
      'email:100%ada@example.com',
      'email:noname@example.com',
      'email:jane@jane.com',
    ],
    ...[
      'phone:+14155550100',
      'phone:+15550000000',
      'phone:+393333333334',
      'phone:+12025550123',
      'phone:+12345678012',
    ],
    ...[
      'user-id:1111',
      'user-id:100000',
      'user-id:trueman',
      'user-id:test-1',
      'user-id:aa',
      'user-id:ids',
      'user-id:1',
    ],
    ...[
      'telegram:123456789',
      'telegram:7777777',
      'anonymous:f0000000-0000-4000-8000-000000000000',
      'user-id:a-{b}',
    ],
    ...['push:shop:__dGVzdA__', 'line:U1'],
  ])('lets %s through', (identifier) => {
    expect(usableIdentifiers([identifier], shipped)).toEqual([identifier]);
  });
});
