import * as z from 'zod';

const Text = z.string().nullish();
/** Read one by one, so that an odd one does not hold up the others. */
const Recipients = z.array(z.unknown()).nullish();
export const Recipient = z.union([
  z.string().transform((emailAddress) => ({ emailAddress, diagnosticCode: undefined, status: undefined })),
  z.looseObject({ emailAddress: z.string(), diagnosticCode: Text, status: Text }),
]);
export type Recipient = z.infer<typeof Recipient>;
const Preferences = z
  .looseObject({
    unsubscribeAll: z.boolean().nullish(),
    topicSubscriptionStatus: z
      .array(z.looseObject({ topicName: z.string(), subscriptionStatus: z.string() }))
      .nullish(),
  })
  .nullish();

export const Message = z.looseObject({
  eventType: Text,
  notificationType: Text,
  mail: z
    .looseObject({
      timestamp: Text,
      messageId: Text,
      source: Text,
      destination: Recipients,
      headers: z.array(z.looseObject({ name: z.string(), value: Text })).nullish(),
      headersTruncated: z.boolean().nullish(),
      tags: z.record(z.string(), z.array(z.string())).nullish(),
      commonHeaders: z
        .looseObject({ from: z.array(z.string()).nullish(), subject: Text, messageId: Text })
        .nullish(),
    })
    .nullish(),
  bounce: z
    .looseObject({ bounceType: Text, bounceSubType: Text, timestamp: Text, bouncedRecipients: Recipients })
    .nullish(),
  complaint: z
    .looseObject({
      timestamp: Text,
      complaintFeedbackType: Text,
      complaintSubType: Text,
      complainedRecipients: Recipients,
    })
    .nullish(),
  delivery: z.looseObject({ timestamp: Text, recipients: Recipients, smtpResponse: Text }).nullish(),
  deliveryDelay: z.looseObject({ timestamp: Text, delayType: Text, delayedRecipients: Recipients }).nullish(),
  reject: z.looseObject({ reason: Text }).nullish(),
  failure: z.looseObject({ errorMessage: Text, templateName: Text }).nullish(),
  open: z.looseObject({ timestamp: Text, userAgent: Text }).nullish(),
  click: z.looseObject({ timestamp: Text, link: Text, userAgent: Text }).nullish(),
  subscription: z
    .looseObject({
      contactList: Text,
      timestamp: Text,
      source: Text,
      newTopicPreferences: Preferences,
      oldTopicPreferences: Preferences,
    })
    .nullish(),
  receipt: z
    .looseObject({
      recipients: z.array(z.string()).nullish(),
      action: z
        .looseObject({ encoding: Text, bucketName: Text, objectKeyPrefix: Text, objectKey: Text })
        .nullish(),
      spamVerdict: z.looseObject({ status: Text }).nullish(),
      virusVerdict: z.looseObject({ status: Text }).nullish(),
      dkimVerdict: z.looseObject({ status: Text }).nullish(),
      dmarcVerdict: z.looseObject({ status: Text }).nullish(),
    })
    .nullish(),
  content: Text,
});
export type Message = z.infer<typeof Message>;
