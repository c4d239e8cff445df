import { ServiceError } from '../protocol/json.ts';
import { elementsIn, textIn } from './answer.ts';
import type { ObjectStore } from './store.ts';
import { tagging, tagsIn } from './tags.ts';

const DAY_MS = 86_400_000;

interface ExpiryRule {
  readonly prefix: string;
  readonly days: number;
  /** `key=value` */
  readonly tag: string | undefined;
}

/** The expiration rules of a lifecycle document, each with a prefix or one tag. @throws ServiceError. */
export const expiryRules = (xml: string): ExpiryRule[] =>
  elementsIn(xml, 'Rule').flatMap((rule) => {
    const days = textIn(elementsIn(rule, 'Expiration')[0] ?? '', 'Days');
    if (textIn(rule, 'Status') !== 'Enabled' || days === undefined) return [];
    if (!/^[1-9]\d{0,5}$/u.test(days))
      throw new ServiceError('InvalidArgument', "'Days' for Expiration action must be a positive integer");
    const tags = tagsIn(rule);
    if (tags.length > 1)
      throw new ServiceError('NotImplemented', 'The local S3 takes one tag in the filter of a rule.', 501);
    const tag = tags.length > 0 ? tagging(tags) : undefined;
    return [{ prefix: textIn(rule, 'Prefix') ?? '', days: Number(days), tag }];
  });

/**
 * Removes expired objects when a bucket is first used on a day. As in S3, an object expires at the first midnight of UTC
 * after its days.
 */
export const expiry = (store: ObjectStore): ((bucket: string, now: number) => void) => {
  const swept = new Map<string, string>();
  return (bucket, now) => {
    const today = Math.floor(now / DAY_MS);
    const xml = store.lifecycle(bucket);
    const state = `${today} ${xml}`;
    if (xml === undefined || swept.get(bucket) === state) return;
    swept.set(bucket, state);
    for (const { prefix, days, tag } of expiryRules(xml))
      store.expire(bucket, prefix, (today - days) * DAY_MS, tag);
  };
};
