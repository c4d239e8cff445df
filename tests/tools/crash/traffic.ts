import type { ProviderAnswers } from './invariants.ts';
import { signingProviders, type Webhook } from './webhooks.ts';

export interface TrafficOptions {
  readonly seed: number;
  readonly publicUrl: string;
  /** The number of customers that write. */
  readonly people: number;
}

/** Webhooks of several providers, and the answers that they got. */
export interface Traffic {
  /** The secrets to store, by provider. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** E-mail addresses whose owners have consented to marketing. */
  readonly granted: readonly string[];
  /** The number of deliveries that were acknowledged more than once. */
  readonly repeated: () => number;
  /** The answers so far, each delivery in one list. */
  readonly answers: () => ProviderAnswers;
  /** Answers that a correct hub never gives, a sentence each. */
  readonly faults: readonly string[];
  /** Sends the next webhook: a redelivery if one is due, else a new message. */
  send(hubUrl: string): Promise<void>;
}

interface Post {
  /** Unique in the run. */
  readonly text: string;
  readonly identifier: string;
  readonly webhook: Webhook;
  readonly isForged: boolean;
}

const FORGED = 0.05;
const REPEATED = 0.1;
/** The share of unanswered deliveries that a provider does not send again. */
const ABANDONED = 0.2;

/** A linear congruential generator: the same seed gives the same numbers in [0, 1). */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};

/** Creates messages of a few people through three providers, each with a text of its own. */
const postFactory = ({ seed, publicUrl, people }: TrafficOptions, random: () => number) => {
  const providers = signingProviders(publicUrl);
  let serial = 0;
  const createPost = (): Post => {
    const number = serial++;
    const text = `message ${number} of run ${seed}`;
    const person = 1000 + Math.floor(random() * people);
    const from = `+1415555${person}`;
    const [id, at] = [`${seed}-${number}`, Date.now()];
    const isForged = random() < FORGED;
    const [kind, user] = [Math.floor(random() * 4), `US.${person}`];
    const { webhook, identifier } =
      kind === 0
        ? { webhook: providers.sms({ id, from, text }), identifier: `phone:${from}` }
        : kind === 1
          ? { webhook: providers.whatsapp({ id, from, user, text, at }), identifier: `whatsapp-user:${user}` }
          : kind === 2
            ? { webhook: providers.whatsapp({ id, user, text, at }), identifier: `whatsapp-user:${user}` }
            : {
                webhook: providers.mail({ id, from: `person${person}@example.org`, text, at }),
                identifier: `email:person${person}@example.org`,
              };
    return { text, identifier, isForged, webhook: isForged ? providers.forge(webhook) : webhook };
  };
  return { createPost, secrets: providers.secrets };
};

/** Opens a source of webhooks that redelivers as providers do. */
export const openTraffic = (options: TrafficOptions, random: () => number): Traffic => {
  const { createPost, secrets } = postFactory(options, random);
  const acknowledged = new Map<string, string>();
  const refused = new Set<string>();
  const unanswered = new Set<string>();
  const redeliveries: Post[] = [];
  const faults: string[] = [];
  let repeated = 0;
  const recordAnswer = (post: Post, status: number): void => {
    const { text, identifier, isForged } = post;
    if (status >= 200 && status < 300) {
      if (isForged) faults.push(`forged "${text}" was answered with ${status}`);
      if (acknowledged.has(text)) repeated++;
      acknowledged.set(text, identifier);
      unanswered.delete(text);
      if (random() < REPEATED) redeliveries.push(post);
    } else if (status === 401) {
      if (!isForged) faults.push(`"${text}" was refused`);
      refused.add(text);
      unanswered.delete(text);
    } else {
      if (!acknowledged.has(text)) unanswered.add(text);
      if (random() >= ABANDONED) redeliveries.push(post);
    }
  };
  return {
    secrets,
    granted: Array.from({ length: options.people / 2 }, (_, at) => `person${1000 + at}@example.org`),
    faults,
    repeated: () => repeated,
    answers: () => ({
      acknowledged: [...acknowledged].map(([text, identifier]) => ({ text, identifier })),
      refused: [...refused],
      unanswered: [...unanswered],
    }),
    async send(hubUrl) {
      const post = redeliveries.shift() ?? createPost();
      const { provider, headers, body } = post.webhook;
      const url = `${hubUrl}/webhooks/${provider}`;
      const status = await fetch(url, { method: 'POST', headers, body }).then(
        async (response) => {
          await response.arrayBuffer();
          return response.status;
        },
        // The hub was killed before it answered.
        () => 0,
      );
      recordAnswer(post, status);
    },
  };
};
