import type { ObjectType } from './object-types.ts';

type Values = Readonly<Record<string, string>>;

// Country codes have one digit, two, or else three.
const TWO_DIGITS = /^(?:2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/u;

const countryCode = (digits: string): string => {
  if (/^[17]/u.test(digits)) return digits.slice(0, 1);
  return digits.slice(0, TWO_DIGITS.test(digits) ? 2 : 3);
};

const phoneValues = (raw: string | undefined, kind: 'phone' | 'mobile'): Values => {
  // An extension is apart from the number, and calculated into none of these.
  const [number = ''] = (raw ?? '').split(/ext|x/iu);
  const digits = number.replace(/\D/gu, '');
  if (digits === '') return {};
  const international = (raw ?? '').trim().startsWith('+');
  const code = international ? countryCode(digits) : '';
  // Recorded answers show national numbers without leading zeros.
  const national = digits.slice(code.length).replace(/^0+/u, '');
  return {
    [`hs_searchable_calculated_${kind}_number`]: national,
    ...(international && {
      [`hs_calculated_${kind}_number`]: `+${digits}`,
      [`hs_searchable_calculated_international_${kind}_number`]: digits,
    }),
  };
};

const contactValues = (id: string, values: Values): Values => {
  const name = [values['firstname'], values['lastname']].filter(Boolean).join(' ');
  const email = values['email'] ?? '';
  return {
    hs_full_name_or_email: name || email,
    hs_email_domain: email.split('@')[1] ?? '',
    hs_is_contact: 'true',
    hs_is_unworked: 'true',
    hs_pipeline: 'contacts-lifecycle-pipeline',
    hs_all_contact_vids: [id, ...(values['hs_merged_object_ids']?.split(';') ?? [])].join(';'),
    num_notes: '0',
    ...phoneValues(values['phone'], 'phone'),
    ...phoneValues(values['mobilephone'], 'mobile'),
  };
};

const PREVIEW: Readonly<Record<string, string>> = {
  communications: 'hs_communication_body',
  emails: 'hs_email_text',
  calls: 'hs_call_body',
  notes: 'hs_note_body',
  tasks: 'hs_task_body',
  meetings: 'hs_meeting_body',
};

/** The values that HubSpot derives from others. */
export const calculatedValues = (type: ObjectType, id: string, values: Values): Values => {
  const body = values[PREVIEW[type.name] ?? ''];
  const made =
    type.name === 'contacts'
      ? contactValues(id, values)
      : body
        ? { hs_body_preview: body.slice(0, 200) }
        : {};
  return Object.fromEntries(Object.entries(made).filter(([, value]) => value !== ''));
};

/** The names that `calculatedValues` may give, which are made anew at every write. */
export const calculatedNames = new Set([
  'hs_full_name_or_email',
  'hs_email_domain',
  'hs_all_contact_vids',
  'hs_body_preview',
  ...['phone', 'mobile'].flatMap((kind) => [
    `hs_searchable_calculated_${kind}_number`,
    `hs_calculated_${kind}_number`,
    `hs_searchable_calculated_international_${kind}_number`,
  ]),
]);
