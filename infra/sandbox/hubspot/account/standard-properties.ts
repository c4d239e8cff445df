/** The standard properties that this sandbox has, by object and type; the real account has some hundreds more. */

interface Standard {
  readonly string?: string;
  readonly phone?: string;
  readonly number?: string;
  readonly date?: string;
  readonly datetime?: string;
  readonly bool?: string;
  /** Options by property. */
  readonly enumeration?: Readonly<Record<string, readonly string[]>>;
  /** Several of the options may be set. */
  readonly checkbox?: Readonly<Record<string, readonly string[]>>;
  readonly readOnly?: string;
}

/** In their order: over the API, a contact only moves forward. */
export const lifecycleStages: readonly string[] = [
  'subscriber',
  'lead',
  'marketingqualifiedlead',
  'salesqualifiedlead',
  'opportunity',
  'customer',
  'evangelist',
  'other',
];

const everywhere: Standard = {
  string: 'hs_object_source hs_object_source_id hs_object_source_label hs_merged_object_ids hubspot_owner_id',
  number: 'hs_object_id',
  readOnly:
    'hs_object_id hs_object_source hs_object_source_id hs_object_source_label hs_merged_object_ids createdate lastmodifieddate hs_createdate hs_lastmodifieddate',
};

const activity: Standard = {
  string: 'hs_body_preview hs_unique_id',
  datetime: 'hs_timestamp hs_createdate hs_lastmodifieddate',
  readOnly: 'hs_body_preview hs_unique_id',
};

const contacts: Standard = {
  string:
    'email firstname lastname salutation company jobtitle website fax address city state zip country hs_additional_emails hs_full_name_or_email hs_email_domain hs_language hs_timezone hs_whatsapp_phone_number twitterhandle hs_pipeline message industry hs_all_contact_vids hs_calculated_phone_number hs_calculated_mobile_number hs_calculated_phone_number_country_code hs_searchable_calculated_phone_number hs_searchable_calculated_mobile_number hs_searchable_calculated_international_phone_number hs_searchable_calculated_international_mobile_number',
  phone: 'phone mobilephone',
  number: 'num_notes numemployees',
  date: 'date_of_birth',
  datetime: 'createdate lastmodifieddate closedate notes_last_contacted notes_last_updated',
  bool: 'hs_is_contact hs_is_unworked hs_email_optout',
  enumeration: {
    lifecyclestage: lifecycleStages,
    hs_lead_status: [
      'NEW',
      'OPEN',
      'IN_PROGRESS',
      'OPEN_DEAL',
      'UNQUALIFIED',
      'ATTEMPTED_TO_CONTACT',
      'CONNECTED',
      'BAD_TIMING',
    ],
  },
  readOnly:
    'hs_full_name_or_email hs_email_domain hs_pipeline hs_all_contact_vids hs_calculated_phone_number hs_calculated_mobile_number hs_calculated_phone_number_country_code hs_searchable_calculated_phone_number hs_searchable_calculated_mobile_number hs_searchable_calculated_international_phone_number hs_searchable_calculated_international_mobile_number num_notes hs_is_contact hs_is_unworked hs_email_optout notes_last_contacted notes_last_updated',
};

const standards: Readonly<Record<string, Standard>> = {
  contacts,
  companies: {
    string: 'name domain website description address city state zip country industry',
    phone: 'phone',
    number: 'numberofemployees annualrevenue',
    datetime: 'createdate hs_lastmodifieddate',
    enumeration: { lifecyclestage: lifecycleStages },
  },
  deals: {
    string: 'dealname description',
    number: 'amount',
    datetime: 'createdate closedate hs_lastmodifieddate',
    enumeration: {
      pipeline: ['default'],
      dealstage: [
        'appointmentscheduled',
        'qualifiedtobuy',
        'presentationscheduled',
        'decisionmakerboughtin',
        'contractsent',
        'closedwon',
        'closedlost',
      ],
      dealtype: ['newbusiness', 'existingbusiness'],
    },
  },
  tickets: {
    string: 'subject content hs_resolution',
    datetime: 'createdate closed_date hs_lastmodifieddate',
    enumeration: {
      hs_pipeline: ['0'],
      hs_pipeline_stage: ['1', '2', '3', '4'],
      hs_ticket_priority: ['LOW', 'MEDIUM', 'HIGH', 'URGENT'],
      source_type: ['CHAT', 'EMAIL', 'FORM', 'PHONE'],
    },
    checkbox: {
      hs_ticket_category: ['PRODUCT_ISSUE', 'BILLING_ISSUE', 'FEATURE_REQUEST', 'GENERAL_INQUIRY'],
    },
  },
  communications: {
    string: 'hs_communication_body',
    enumeration: {
      hs_communication_channel_type: ['SMS', 'WHATS_APP', 'LINKEDIN_MESSAGE'],
      hs_communication_logged_from: ['CRM'],
    },
  },
  emails: {
    string:
      'hs_email_subject hs_email_text hs_email_html hs_email_headers hs_attachment_ids hs_email_from_email hs_email_from_firstname hs_email_from_lastname hs_email_to_email hs_email_to_firstname hs_email_to_lastname',
    enumeration: {
      hs_email_direction: ['EMAIL', 'INCOMING_EMAIL', 'FORWARDED_EMAIL'],
      hs_email_status: ['BOUNCED', 'FAILED', 'SCHEDULED', 'SENDING', 'SENT'],
    },
    readOnly:
      'hs_email_from_email hs_email_from_firstname hs_email_from_lastname hs_email_to_email hs_email_to_firstname hs_email_to_lastname',
  },
  calls: {
    string:
      'hs_call_title hs_call_body hs_call_callee_object_id hs_call_callee_object_type_id hs_call_disposition hs_call_from_number hs_call_to_number hs_call_recording_url hs_activity_type hs_attachment_ids',
    number: 'hs_call_duration',
    enumeration: {
      hs_call_direction: ['INBOUND', 'OUTBOUND'],
      hs_call_status: [
        'BUSY',
        'CALLING_CRM_USER',
        'CANCELED',
        'COMPLETED',
        'CONNECTING',
        'FAILED',
        'IN_PROGRESS',
        'NO_ANSWER',
        'QUEUED',
        'RINGING',
      ],
      hs_call_source: ['INTEGRATIONS_PLATFORM'],
    },
  },
  notes: { string: 'hs_note_body hs_attachment_ids' },
  tasks: {
    string: 'hs_task_subject hs_task_body hs_task_reminders',
    enumeration: {
      hs_task_status: ['NOT_STARTED', 'IN_PROGRESS', 'WAITING', 'COMPLETED', 'DEFERRED'],
      hs_task_priority: ['NONE', 'LOW', 'MEDIUM', 'HIGH'],
      hs_task_type: ['TODO', 'EMAIL', 'CALL'],
    },
  },
  meetings: {
    string:
      'hs_meeting_title hs_meeting_body hs_internal_meeting_notes hs_meeting_external_url hs_meeting_location hs_activity_type hs_attachment_ids',
    datetime: 'hs_meeting_start_time hs_meeting_end_time',
    enumeration: { hs_meeting_outcome: ['SCHEDULED', 'COMPLETED', 'RESCHEDULED', 'NO_SHOW', 'CANCELED'] },
  },
};

/** The groups of standard properties that make up an object. */
export const standardsOf = (object: string): readonly Standard[] => {
  const own = standards[object] ?? {};
  const legacy = ['contacts', 'companies', 'deals', 'tickets'].includes(object);
  return legacy ? [everywhere, own] : [everywhere, activity, own];
};

/** `a b` as names. */
export const names = (list = ''): string[] => list.split(' ').filter(Boolean);
