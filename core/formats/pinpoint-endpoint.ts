import * as z from 'zod';
import type { Channel } from '../interaction/interaction.ts';
import type { RowReading } from './lists/columns.ts';

// https://docs.aws.amazon.com/pinpoint/latest/apireference/apps-application-id-endpoints-endpoint-id.html
// Surprise: OptOut NONE is the default of an endpoint and proves no consent.

const Attributes = z.record(z.string(), z.array(z.string()));
const Text = z.string().optional();

/** An endpoint as Amazon Pinpoint exported it: one JSON object per line. Members that the hub has no use for are ignored. */
const PinpointEndpoint = z.object({
  Id: z.string().min(1),
  ApplicationId: z.string().min(1),
  ChannelType: z.string(),
  Address: Text,
  EffectiveDate: Text,
  EndpointStatus: Text,
  OptOut: Text,
  Attributes: Attributes.default({}),
  Metrics: z.record(z.string(), z.number()).default({}),
  User: z.object({ UserId: Text, UserAttributes: Attributes.default({}) }).optional(),
  Demographic: z.object({ Locale: Text, Timezone: Text }).optional(),
  Location: z.object({ City: Text, Region: Text, PostalCode: Text, Country: Text }).optional(),
  CohortId: Text,
});
type PinpointEndpoint = z.output<typeof PinpointEndpoint>;

/** The channels whose addresses are identifiers of the hub; the token of a device belongs to an app that the hub does not know. */
const channels: Readonly<Record<string, { readonly channel: Channel; readonly type?: 'email' | 'phone' }>> = {
  EMAIL: { channel: 'email', type: 'email' },
  SMS: { channel: 'sms', type: 'phone' },
  VOICE: { channel: 'voice', type: 'phone' },
  ...Object.fromEntries(
    ['GCM', 'APNS', 'APNS_SANDBOX', 'APNS_VOIP', 'APNS_VOIP_SANDBOX', 'ADM', 'BAIDU', 'PUSH'].map((name) => [
      name,
      { channel: 'push' as const },
    ]),
  ),
};

/**
 * A line of Pinpoint's export as a row of a customer list, and what of it is not taken. Undefined if the value is no endpoint;
 * `fault` if it is an endpoint that cannot be read.
 */
export const readPinpointEndpoint = (value: unknown): RowReading | undefined => {
  if (typeof value !== 'object' || value === null || !('ChannelType' in value)) return undefined;
  const parsed = PinpointEndpoint.safeParse(value);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? '';
    return { fault: `the endpoint of Pinpoint is not readable at ${path}` };
  }
  return rowOf(parsed.data);
};

const rowOf = (endpoint: PinpointEndpoint): { readonly value: unknown; readonly omitted: string[] } => {
  const { Address: address, User: user, Demographic: demographic, ChannelType: name } = endpoint;
  const known = channels[name];
  const isActive = endpoint.EndpointStatus !== 'INACTIVE';
  const omitted: string[] = [];
  if (address !== undefined && !isActive)
    omitted.push(`taken without the ${name} address: the endpoint is inactive, because another one has it`);
  else if (address !== undefined && known?.type === undefined)
    omitted.push(`taken without the ${name} address: the hub has no identifier for it`);
  if (endpoint.OptOut === 'ALL' && known === undefined)
    omitted.push(`taken without the opt-out from ${name}: the hub has no such channel`);
  const row = {
    ...(known?.type !== undefined && isActive && address !== undefined && { [known.type]: address }),
    ...(user?.UserId !== undefined && { 'user-id': user.UserId }),
    identifiers: [`pinpoint:${endpoint.ApplicationId}:${endpoint.Id}`],
    ...(demographic?.Locale !== undefined && { language: demographic.Locale.replaceAll('_', '-') }),
    ...(demographic?.Timezone !== undefined && { timeZone: demographic.Timezone }),
    traits: traitsOf(endpoint),
    ...(endpoint.OptOut === 'ALL' &&
      known !== undefined && {
        consent: { [known.channel]: { status: 'denied', at: endpoint.EffectiveDate } },
      }),
  };
  return { value: row, omitted };
};

/** Pinpoint's attributes are lists; a list of one becomes its value. */
const traitsOf = ({ Attributes, User, Metrics, Location = {}, CohortId }: PinpointEndpoint): object => ({
  ...Object.fromEntries(
    Object.entries({ ...Attributes, ...User?.UserAttributes }).map(([name, values]) => [
      name,
      values.length === 1 ? values[0] : values,
    ]),
  ),
  ...Metrics,
  ...Object.fromEntries(
    Object.entries({ ...Location, CohortId }).filter(([, value]) => value !== undefined && value !== ''),
  ),
});
