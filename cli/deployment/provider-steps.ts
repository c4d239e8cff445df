/**
 * What an admin does in each provider's console, one sentence or two a step, in the words of the console. `ADDRESS` stands
 * for the hub's address of the provider. Kept beside the command line, so that `receive` does not carry it.
 */
const steps: Readonly<Record<string, readonly string[]>> = {
  apple: [
    'In Apple Business Register, open the messaging service provider of the account, and set its endpoint to ADDRESS.',
    'Store the API secret as `secret` and the CSP id as `mspId`.',
  ],
  'aws-sms': [
    'In AWS End User Messaging SMS of the account of the hub, open the phone number, Two-way SMS: turn it on with the topic of the stack (output SmsTopic) as destination. It needs no secret.',
    'For the status of sent messages, add an event destination of the type SNS with that topic and the events "All SMS events" to the configuration set.',
    'Topics of other accounts: subscribe ADDRESS to them over HTTPS, with raw message delivery off, and store their ARNs as `topicArns`; the hub confirms the subscription itself.',
  ],
  bird: [
    'In Bird, Developer, Webhook subscriptions: create one with ADDRESS and a signing key of your own, for the service "channels" and the events of each channel that you use (inbound, outbound and interactions).',
    'Store the signing key as `signingKey`; for files, an access key with the permission to read messages as `accessKey`.',
  ],
  calendly: [
    'Create the subscription with the API (POST /webhook_subscriptions): `url` is ADDRESS, `events` are invitee.created, invitee.canceled, invitee_no_show.created and routing_form_submission.created, `scope` is organization, `signing_key` is a long word of your own.',
    'Store that word as `signingKey`. Webhooks need a paid plan.',
  ],
  chatwoot: [
    'In Chatwoot, Settings, Integrations, Webhooks: add ADDRESS with message_created, message_updated, conversation_status_changed, contact_created and contact_updated.',
    'Where the form shows a secret, store it as `secret`. Older versions sign nothing: enter ADDRESS?key=… with a long word of your own, and store the word as `addressKey`.',
  ],
  discord: [
    'In the Developer Portal, open the application, and store its Public Key (General Information) as `publicKey` before the next step: Discord tests the address at once.',
    'Enter ADDRESS as Interactions Endpoint URL (General Information), and under Webhooks as endpoint of events, with Application Authorized and Deauthorized ticked.',
  ],
  hubspot: [
    'In HubSpot, Development, open the app of the hub, Auth: store its Client secret as `clientSecret`.',
    'Webhooks: enter ADDRESS as target URL, and subscribe to contact.creation, contact.deletion, contact.merge, contact.privacyDeletion and contact.propertyChange of every property that the mapping names; to ticket.propertyChange of hs_pipeline_stage where the mapping has cases; to conversation.newMessage for the inbox.',
    'For the messages of the inbox, store a token with the scope conversations.read as `accessToken`.',
    'Activate the subscriptions. `npx hub connect hubspot` connects HubSpot as a CRM; this step alone brings what people change there.',
  ],
  intercom: [
    'In the Developer Hub, open the app, Basic information: store the Client secret as `clientSecret`.',
    'Webhooks: enter ADDRESS, and tick the topics conversation.user.created, conversation.user.replied, conversation.admin.replied, conversation.admin.single.created, conversation.operator.replied, conversation.admin.closed, conversation.rating.added, contact.user.created, contact.user.updated, contact.lead.created, contact.lead.updated, contact.lead.signed_up, contact.email.updated, contact.merged, contact.subscribed and contact.unsubscribed.',
    'The permissions "Read conversations" and "Read users" must be on (Authentication).',
  ],
  line: [
    'In the LINE Developers console, open the Messaging API channel, Basic settings: store the Channel secret as `channelSecret`.',
    'Messaging API: enter ADDRESS as Webhook URL, press Verify, and turn on "Use webhook" and "Webhook redelivery".',
    'For pictures and files, issue a long-lived channel access token there, and store it as `accessToken`.',
    'In the LINE Official Account Manager, turn off auto-reply messages, or customers get two answers.',
  ],
  mailgun: [
    'In Mailgun, API security: store the HTTP webhook signing key as `signingKey`.',
    'Sending, Webhooks: add ADDRESS for accepted, delivered, opened, clicked, permanent failure, temporary failure, spam complaints and unsubscribes.',
    'Inbound mail: a route with the action store(notify="ADDRESS") takes mails of any size that Mailgun takes, and needs the `apiKey`; one with forward("ADDRESS") only those of up to 4.4 MB with their files, the largest request that the hub accepts.',
  ],
  messagebird: [
    'In MessageBird, Developers, API settings: store the signing key as `signingKey`, and a live access key as `accessKey` if the account protects files.',
    'SMS: enter ADDRESS as URL of the number or flow that receives messages, and as status report URL.',
    'Conversations: create a webhook with ADDRESS and the events message.created, message.updated, conversation.created and conversation.updated.',
  ],
  meta: [
    'In the Meta app dashboard, App settings, Basic: store the App Secret as `appSecret`, and a word of your own as `verifyToken`. The app must be live, and its business verified.',
    'Webhooks, object Page: ADDRESS and the verify token; subscribe to messages, messaging_postbacks, messaging_optins, messaging_referrals, message_deliveries, message_reads, message_reactions, message_echoes, feed and leadgen. Then subscribe each page to the app.',
    'Webhooks, object Instagram: the same address; messages, messaging_postbacks, messaging_referral, messaging_seen, message_reactions and comments.',
    'Webhooks, object WhatsApp Business Account: the same address; messages. Message templates need no subscription.',
    'For the answers of lead forms and for files of WhatsApp, store a lasting token of a system user with leads_retrieval, pages_read_engagement and whatsapp_business_messaging as `accessToken`.',
  ],
  plivo: [
    'In Plivo, Overview: store the Auth Token as `authToken`.',
    'Messaging, Applications: enter ADDRESS as message URL with POST, and give the application to the numbers. Voice: enter it as answer and hangup URL of the application.',
    'Pass ADDRESS as `url` of each message that you send through the API, to get its status.',
    'If the account protects media, store the Auth ID as `authId`.',
  ],
  postmark: [
    'Choose a user name and a long password, and store them as `user` and `password`.',
    'In Postmark, each message stream, Webhooks: enter ADDRESS as https://USER:PASSWORD@…, and tick delivery, bounce, spam complaint, open, link click and subscription change.',
    'Inbound stream, Settings: enter the same address. It takes mails of up to 4.4 MB with their files; receive larger ones through ses, or mailgun with store(notify).',
  ],
  rbm: [
    'In the Business Communications console, open the agent, Integrations, Webhook: enter ADDRESS.',
    'Store the client token that the form shows as `clientToken`, then press Verify.',
  ],
  resend: [
    'In Resend, Webhooks: add ADDRESS with all events of e-mails and contacts, among them email.received.',
    'Store the signing secret as `signingSecret`.',
    'Inbound mail: turn on receiving for the domain, and store an API key with full access as `apiKey`, with which the hub fetches the mails.',
  ],
  salesforce: [
    'Outbound messages: choose a long word and store it as `addressKey`; in Setup, Outbound Messages, enter ADDRESS?key=… as endpoint, choose the fields, and let a flow send it. With the id of the organisation (Company Information) as `organizationId` those of others are refused.',
    'Change events and platform events arrive over EventBridge and need no secret: in Salesforce choose the objects (Change Data Capture), make a channel, a named credential for your AWS account and region, and an event relay between the two.',
    'In EventBridge associate the partner event source that then appears with an event bus; name that bus in mappings/hub.yaml as channels: { salesforce: { eventBus: aws.partner/salesforce.com/… } }, deploy, and start the relay.',
  ],
  segment: [
    'In Segment, add the destination "Webhooks (Actions)" or "Webhooks" to the sources, with ADDRESS.',
    'Set a Shared Secret there and store it as `sharedSecret`: without one Segment signs nothing, and the hub refuses its requests.',
  ],
  sendgrid: [
    'In SendGrid, Settings, Mail Settings, Event Webhooks: add ADDRESS with all events of delivery and engagement, turn on Signature Verification, and store its verification key as `publicKey`.',
    'Settings, Inbound Parse: add the host name with ADDRESS?key=…, a long word of your own that is stored as `inboundKey`, and tick "POST the raw, full MIME message". The MX record of the host name points to mx.sendgrid.net.',
    'Inbound Parse takes mails of up to 4.4 MB with their files; receive larger ones through ses, or mailgun with store(notify).',
  ],
  servicenow: [
    'Choose a user name and a long password, and store them as `user` and `password`.',
    'In ServiceNow, make an outbound REST message with ADDRESS, POST and basic authentication.',
    'A business rule sends the record as JSON: table, operation, sys_id, sys_mod_count, sys_updated_on (UTC), number, caller_id (with display value), the e-mail address as u_email, comments.',
  ],
  ses: [
    'Events of SES in the account of the hub come by the topic of the stack and need no secret. Topics of other accounts: subscribe ADDRESS to them over HTTPS with raw message delivery off, and store their ARNs as `topicArns`; the hub confirms the subscription itself.',
    'Inbound mail: add to the active receipt rule set of SES a rule for your addresses with the action "Deliver to S3 bucket": the hub\'s bucket (output Bucket), the object key prefix mail/, the SNS topic MailTopic, no message encryption. It takes mails of up to 40 MB.',
  ],
  shopify: [
    'In the Shopify admin, Settings, Notifications, Webhooks: create a webhook in JSON with ADDRESS for each of customer creation, update, deletion and marketing consent update, order creation, update, payment, fulfilment and cancellation, refund creation, cart creation and update, checkout creation and update. Or subscribe an app to the same topics.',
    'Store the signing secret that the page shows (or the Client secret of the app) as `clientSecret`.',
    'An app of the App Store enters ADDRESS for the three privacy topics too: customers/data_request, customers/redact and shop/redact.',
  ],
  slack: [
    'At api.slack.com/apps, open the app, Basic Information: store the Signing Secret as `signingSecret` before the next step.',
    'Event Subscriptions: enter ADDRESS, wait for "Verified", and subscribe to the bot events message.channels, message.groups, message.im, app_mention, reaction_added and reaction_removed; where customers write in shared channels, add the bot there.',
    'Interactivity & Shortcuts, and each slash command: enter the same address.',
    'OAuth & Permissions: the scopes that Slack names for these events, and files:read for files, whose token (xoxb-…) is stored as `botToken`. Install the app again.',
  ],
  standard: [
    'Make a secret: `echo "whsec_$(openssl rand -base64 32)"`, and store it as `signingSecret`.',
    'For a web form, a till, a call centre, a kiosk or an app: docs/standard.md describes the payload and the signature; it is sent to ADDRESS.',
  ],
  stripe: [
    'In Stripe, Developers, Webhooks: add an endpoint with ADDRESS and the events customer.created, customer.updated, customer.deleted, checkout.session.completed, checkout.session.async_payment_succeeded, checkout.session.async_payment_failed, checkout.session.expired, payment_intent.succeeded, payment_intent.payment_failed, charge.refunded, charge.dispute.created, and those of invoices and subscriptions that you use.',
    'Store its signing secret as `signingSecret`.',
  ],
  teams: [
    'In Azure, open the bot, Configuration: store the Microsoft App ID as `appId`, and enter ADDRESS as messaging endpoint.',
    'Channels: turn on Microsoft Teams. The address takes what people write to the bot; another program of yours answers.',
  ],
  telegram: [
    'Choose a word of letters and digits and store it as `secretToken`; store the token of the bot from BotFather as `botToken` for files.',
    'Tell Telegram the address: `curl https://api.telegram.org/bot<token>/setWebhook -d url=ADDRESS -d secret_token=<word> -d \'allowed_updates=["message","edited_message","callback_query","message_reaction","my_chat_member"]\'`.',
  ],
  telnyx: [
    'In the Telnyx portal, Keys & Credentials: store the public key as `publicKey`.',
    'Messaging, the messaging profile, Inbound: enter ADDRESS as webhook URL, API version 2. Voice, the application: the same address.',
  ],
  tiktok: [
    'In TikTok for Developers, open the app: store its Client secret as `clientSecret`.',
    'Webhooks (or Business Messaging, webhook): enter ADDRESS as callback URL and subscribe to the direct message events.',
  ],
  twilio: [
    'In the Twilio console, Account info: store the Auth Token as `authToken`; if webhooks are signed with a SharedKey, its secret as `sharedKey`.',
    'Phone Numbers, the number (or the Messaging Service, Integration): "A message comes in" and "A call comes in" are webhooks with ADDRESS and POST. WhatsApp senders: the same address as webhook URL.',
    'The same address takes status callbacks and recording status callbacks; the hub stores a recording if its callback comes here.',
  ],
  typeform: [
    'In Typeform, the form, Connect, Webhooks: add ADDRESS, edit it, type a long word as Secret, and store the word as `secret`.',
    'Turn the webhook on; "Test webhook" must be answered with 200.',
  ],
  viber: [
    'In the Viber admin panel, Edit info: store the token of the bot as `authToken`.',
    'Tell Viber the address: `curl https://chatapi.viber.com/pa/set_webhook -H "X-Viber-Auth-Token: <token>" -d \'{"url":"ADDRESS","event_types":["delivered","seen","failed","subscribed","unsubscribed","conversation_started"]}\'`. It tests the address at once.',
  ],
  vonage: [
    'In the Vonage dashboard, API settings: store the signature secret as `signatureSecret`, and its method as `signatureMethod` if it is not sha256.',
    'SMS API: enter ADDRESS as webhook for inbound SMS and for delivery receipts, method POST-JSON, and ask Vonage to sign them.',
    'Messages API: the application, Capabilities, Messages: ADDRESS as inbound URL and status URL; these are signed already.',
    'For files with Secure Inbound Media, store `applicationId` and `privateKey`.',
  ],
  x: [
    'In the X developer portal, open the app: store the API key secret as `consumerSecret`. Account Activity needs a plan that has it.',
    'Register the webhook with the API (POST /2/webhooks, url ADDRESS), and subscribe each account that you own (POST /2/account_activity/webhooks/:id/subscriptions/all).',
  ],
  zendesk: [
    'In the Zendesk Admin Center, Apps and integrations, Webhooks: create one with ADDRESS for Zendesk events (ticket created, comment added, status changed, CSAT received; user created, name, details, external id and identity changed, merged), and store its signing secret as `signingSecret`.',
    'A webhook that a trigger calls sends the JSON that you write: use the keys ticket_id, title, requester_email, requester_name, latest_comment and updated_at.',
  ],
};

/** The steps of a provider, with the hub's address of it. */
export const stepsOf = (provider: string, address: string): readonly string[] =>
  (steps[provider] ?? []).map((step) => step.replaceAll('ADDRESS', address));
