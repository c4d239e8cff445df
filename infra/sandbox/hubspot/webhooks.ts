import { createHmac } from 'node:crypto';
import type { Account, Change } from './account/account.ts';

/** The HTTP request that HubSpot sends. */
export interface Webhook {
  readonly method: 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface WebhookSettings {
  readonly url: string;
  /** Signs the requests. */
  readonly clientSecret: string;
  /** `legacy`, the default: `contact.creation`. `generic`: `object.creation`, which is also how activities are reported. */
  readonly form?: 'legacy' | 'generic';
  /** The objects that the app has subscribed to; default contacts, companies, deals and tickets. */
  readonly objects?: readonly string[];
}

const EVENTS_PER_REQUEST = 100;
const SUBSCRIBED = ['contacts', 'companies', 'deals', 'tickets'];

// Each kind of event has a subscription of its own.
const KINDS: readonly Change['kind'][] = [
  'creation',
  'propertyChange',
  'deletion',
  'privacyDeletion',
  'merge',
  'restore',
  'associationChange',
];
const FIRST_SUBSCRIPTION = 3_800_000;
const FIRST_EVENT = 1_000_000_001;

const GENERIC_ONLY = new Set(['fromObjectTypeId', 'toObjectTypeId']);

/** Reports of changes, of at most 100 events each, signed as of the account's clock. */
export class Webhooks {
  readonly #account: Account;
  readonly #settings: WebhookSettings;

  constructor(account: Account, settings: WebhookSettings) {
    this.#account = account;
    this.#settings = settings;
  }

  of(changes: readonly Change[]): Webhook[] {
    const counted = Number(this.#account.store.get('counter', 'event')?.fields['next'] ?? FIRST_EVENT);
    const events = changes
      .flatMap((change) => this.#event(change))
      .map((event, index) => ({ eventId: counted + index, ...event }));
    if (events.length > 0) this.#account.store.put('counter', 'event', { next: counted + events.length });
    const requests: Webhook[] = [];
    for (let start = 0; start < events.length; start += EVENTS_PER_REQUEST)
      requests.push(this.#request(JSON.stringify(events.slice(start, start + EVENTS_PER_REQUEST))));
    return requests;
  }

  #event(change: Change): object[] {
    const { kind, type, details, source } = change;
    const subscribed = this.#settings.objects ?? SUBSCRIBED;
    if (!subscribed.includes(type.name)) return [];
    const legacy = type.legacyWebhooks && (this.#settings.form !== 'generic' || kind === 'privacyDeletion');
    const shown = Object.entries(details).filter(([name]) => !legacy || !GENERIC_ONLY.has(name));
    // The older form knows associations only between objects that have it.
    if (kind === 'associationChange' && legacy && !knowsBoth(details)) return [];
    return [
      {
        subscriptionId: FIRST_SUBSCRIPTION + KINDS.indexOf(kind),
        portalId: this.#account.portalId,
        appId: this.#account.appId,
        occurredAt: this.#account.now(),
        subscriptionType: `${legacy ? type.singular : 'object'}.${kind}`,
        attemptNumber: 0,
        objectId: Number(change.objectId),
        ...(!legacy && kind !== 'associationChange' && { objectTypeId: type.id }),
        changeSource: source.changeSource,
        sourceId: source.sourceId,
        ...Object.fromEntries(shown),
      },
    ];
  }

  #request(body: string): Webhook {
    const { url, clientSecret } = this.#settings;
    const timestamp = String(this.#account.now());
    const signature = createHmac('sha256', clientSecret)
      .update(`POST${url}${body}${timestamp}`)
      .digest('base64');
    return {
      method: 'POST',
      url,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'HubSpot Connect 2.0 (http://dev.hubspot.com/) - WebhooksWorker',
        'X-HubSpot-Signature-v3': signature,
        'X-HubSpot-Request-Timestamp': timestamp,
      },
      body,
    };
  }
}

const knowsBoth = (details: Change['details']): boolean =>
  ['fromObjectTypeId', 'toObjectTypeId'].every((name) =>
    ['0-1', '0-2', '0-3', '0-5'].includes(String(details[name])),
  );
