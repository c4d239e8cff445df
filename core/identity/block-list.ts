/**
 * The shipped `block` of `mappings/identity.yaml`: what programs and people write where they have nothing to write. A
 * value that many strangers share would merge them into one customer. Values are compared without regard to case.
 */
export const shippedBlock = {
  values: [
    // An absent value as programs print it.
    ...['null', 'nil', 'none', 'undefined', 'NaN', 'true', 'false', '0', '-1', '[object Object]'],
    // An absent value as people and providers write it.
    ...['unknown', 'anonymous', 'n/a', 'na', 'guest', 'test', 'nobody', 'noemail', 'deleted', 'redacted'],
    ...[
      'hidden',
      'private',
      'restricted',
      'unavailable',
      'withheld',
      'not_authenticated',
      'not-authenticated',
    ],
    // The name of the field in place of its value.
    ...['id', 'user', 'userid', 'user_id', 'user-id', 'distinct_id', 'anonymous_id', 'email', 'phone'],
    ...['ffffffff-ffff-ffff-ffff-ffffffffffff'],
  ],
  patterns: [
    // Zeros, also with dashes such as the nil UUID; nothing but marks.
    '^[0-]*$',
    '^[^\\p{L}\\p{N}]+$',
    // One letter again and again: xxx, AAAA.
    '^(\\p{L})\\1{2,}$',
    // A template that nothing was filled into, anywhere: {{user_id}}, ${id}, #{id}, <%= id %>, %%id%%, *|ID|*; or a mask.
    '\\{\\{|\\$\\{|#\\{|<%|%%|\\*\\||\\*\\*',
    // The same as the whole value: {id}, [email], %id%, <id>, __USER_ID__.
    '^(?:\\{.*\\}|\\[.*\\]|%.*%|<[^@]*>|__[A-Z_]+__)$',
    // Nobody's address: none@none.com, test@test.org, x@x.it; noemail@ and null@ of any domain.
    '^(a+|x+|abc|asdf|email|guest|na|no|test|user)@\\1\\.[a-z.]+$',
    '^(?:anonymous|no[._-]?e?mail|none|null|undefined|unknown)@',
    // Numbers typed to get past a form: +10000000000, +15555555555, +1234567890.
    '^\\+\\d{0,3}(\\d)\\1{6,}$',
    '^\\+1{1,2}23456789\\d{0,2}$',
    // A withheld number as a keypad spells it: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE.
    '^\\+?(?:266696687|7378742833|2562533|8656696|86282452253)$',
  ],
};
