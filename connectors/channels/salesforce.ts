// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm
// An outbound message is not signed: the secret word in the address and the organisation that the message names are the
// only proof. Change events and platform events arrive over EventBridge and never here.

import { hasAddressKey } from '../../core/webhooks/authentication.ts';
import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { isOneOf } from '../../core/webhooks/signature.ts';

const answer = {
  status: 200,
  headers: { 'content-type': 'text/xml; charset=utf-8' },
  body:
    '<?xml version="1.0" encoding="UTF-8"?>' +
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>' +
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>' +
    '</soapenv:Body></soapenv:Envelope>',
};

/** The last three of the 18 characters of an id only encode the letter case of the first 15. */
const SHORT_ID = 15;

export const salesforce = channel({
  id: 'salesforce',
  title: 'Salesforce (outbound messages, change events)',
  docs: 'https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm',
  secrets: {
    addressKey: { about: 'a long word of your own, appended to the endpoint address as ?key=…' },
    organizationId: { about: 'the id of the organisation (Company Information)', optional: true },
  },
  schemes: { addressKey: { covers: 'nothing', time: 'unsigned' } },
  verify(request, { secrets }) {
    if (!hasAddressKey(request, secrets.addressKey))
      return refused('the address has no ?key=, or not the stored one');
    const text = Buffer.from(request.body).toString();
    if (/<!\s*(?:DOCTYPE|ENTITY)/iu.test(text)) return refused('the XML has a document type', 400);
    const [, organisation] = /<(?:\w+:)?OrganizationId>\s*(\w{15,18})\s*</u.exec(text) ?? [];
    if (organisation === undefined) return refused('the body is not an outbound message', 400);
    const expected = secrets.organizationId.map((id) => id.slice(0, SHORT_ID));
    return expected.length === 0 || isOneOf(organisation.slice(0, SHORT_ID), expected)
      ? accepted('addressKey', request, { answer })
      : refused('the message is from another organisation; check the organizationId');
  },
});
