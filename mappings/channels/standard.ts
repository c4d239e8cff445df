// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
// A retry has the same webhook-id, so an event without an id is identified by that and its position.

import { parseJson } from '../../core/formats/payload.ts';
import { Channel, Kind } from '../../core/interaction/interaction.ts';
import { contentKey, interactionOfReport, Report, Reports } from '../../core/interaction/report.ts';
import type { ChannelMapping } from '../../core/webhooks/channel.ts';
import { decodeMembers, membersOf } from '../../core/webhooks/members.ts';

export const standard: ChannelMapping = {
  id: 'standard',
  channels: Channel.options,
  kinds: Kind.options.filter((kind) => kind !== 'notification' && kind !== 'unknown'),
  vouching: [
    {
      field: 'identifiers (anonymous)',
      type: 'anonymous',
      proof: 'claimed',
      why: 'a device can be shared, and its id copied',
    },
    {
      field: 'identifiers',
      type: '*',
      proof: { provenIf: '`claimed` does not list it, and for a form `proven` does' },
      why: 'a program of the business reports it with a secret of its own; visitors fill in forms',
    },
  ],
  decode(request) {
    const reports = Reports.parse(parseJson(request.body));
    const delivery = request.headers['webhook-id'];
    const members = reports.length === 1 ? [{ path: '', value: reports[0] }] : membersOf(reports);
    return decodeMembers(request, members, (one, place) => {
      const report = Report.parse(one);
      const key = delivery === undefined ? contentKey(report) : `${delivery}:${place}`;
      return { interactions: [interactionOfReport(report, key)] };
    });
  },
};
