// https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/outbound-rest/concept/c_OutboundRESTWebService.html
// ServiceNow has no webhooks of its own: a business rule sends a REST message, with basic authentication.

import { basicSchemes, verifyBasic } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';

export const servicenow = channel({
  id: 'servicenow',
  title: 'ServiceNow (REST messages)',
  docs: 'https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/outbound-rest/concept/c_OutboundRESTWebService.html',
  secrets: {
    user: { about: 'a user name of your own, for the basic authentication of the REST message' },
    password: { about: 'a long password of your own, for the same' },
  },
  schemes: basicSchemes,
  methods: ['PUT'],
  verify: (request, { secrets }) => verifyBasic(request, secrets),
});
