import { validationError } from '../errors.ts';

/** A type of CRM record. */
export interface ObjectType {
  /** As in paths. */
  readonly name: string;
  readonly id: string;
  readonly singular: string;
  /** What a read without `properties` returns. */
  readonly defaults: readonly string[];
  /** Must have a value when a record is made. */
  readonly required: readonly string[];
  /** One of these must have a value when a record is made. */
  readonly requiredAny: readonly string[];
  readonly createdProperty: string;
  readonly modifiedProperty: string;
  /** Whether webhooks of the older form (`contact.creation`) exist for it. */
  readonly legacyWebhooks: boolean;
}

const common = { required: [], requiredAny: [], createdProperty: 'createdate', legacyWebhooks: true };
const modifiedProperty = 'hs_lastmodifieddate';

const activity = (
  name: string,
  id: string,
  singular: string,
  required: readonly string[] = [],
): ObjectType => ({
  name,
  id,
  singular,
  defaults: ['hs_createdate', 'hs_lastmodifieddate', 'hs_object_id'],
  required: ['hs_timestamp', ...required],
  requiredAny: [],
  createdProperty: 'hs_createdate',
  modifiedProperty,
  legacyWebhooks: false,
});

const types: readonly ObjectType[] = [
  {
    ...common,
    name: 'contacts',
    id: '0-1',
    singular: 'contact',
    defaults: ['createdate', 'email', 'firstname', 'hs_object_id', 'lastmodifieddate', 'lastname'],
    requiredAny: ['email', 'firstname', 'lastname'],
    modifiedProperty: 'lastmodifieddate',
  },
  {
    ...common,
    name: 'companies',
    id: '0-2',
    singular: 'company',
    defaults: ['createdate', 'domain', 'hs_lastmodifieddate', 'hs_object_id', 'name'],
    requiredAny: ['name', 'domain'],
    modifiedProperty,
  },
  {
    ...common,
    name: 'deals',
    id: '0-3',
    singular: 'deal',
    defaults: [
      'amount',
      'closedate',
      'createdate',
      'dealname',
      'dealstage',
      'hs_lastmodifieddate',
      'hs_object_id',
      'pipeline',
    ],
    required: ['dealname', 'dealstage'],
    modifiedProperty,
  },
  {
    ...common,
    name: 'tickets',
    id: '0-5',
    singular: 'ticket',
    defaults: [
      'content',
      'createdate',
      'hs_lastmodifieddate',
      'hs_object_id',
      'hs_pipeline',
      'hs_pipeline_stage',
      'hs_ticket_category',
      'hs_ticket_priority',
      'subject',
    ],
    required: ['subject', 'hs_pipeline_stage'],
    modifiedProperty,
  },
  activity('communications', '0-18', 'communication', [
    'hs_communication_channel_type',
    'hs_communication_logged_from',
  ]),
  activity('tasks', '0-27', 'task'),
  activity('notes', '0-46', 'note'),
  activity('meetings', '0-47', 'meeting'),
  activity('calls', '0-48', 'call'),
  activity('emails', '0-49', 'email', ['hs_email_direction']),
];

export const objectTypes: readonly ObjectType[] = types;

const byName = new Map(
  types.flatMap((type) => [
    [type.name, type],
    [type.singular, type],
    [type.id, type],
  ]),
);

/** The type of a name in a path: plural, singular or type id, in any letter case. */
export const objectType = (name: string): ObjectType => {
  const type = byName.get(name.toLowerCase());
  if (!type) throw validationError(`Unable to infer object type from: ${name}`);
  return type;
};
