import * as z from 'zod';
import { BusEvent } from '../../../functions/contracts/events/catalogue.ts';

const entries = BusEvent.options.map((entry) => ({
  type: entry.shape.type.value,
  about: entry.description ?? '',
  detail: entry.shape.detail,
}));

/** Where the schema of an event's detail is, relative to docs/. */
const schemaPath = (type: string): string => `schemas/events/${type}.json`;

/** `docs/events.md`, from the catalogue of events. */
export const eventsPage = (): string => `# Events

<!-- Generated from functions/contracts/events/catalogue.ts: npm run generate -->

The hub puts these events on its own EventBridge bus. \`source\` is always \`tributary\`, the type is the \`detail-type\`. Delivery is at least once and in no order, so a consumer handles an event that it has seen before and one that arrives late. An event names a customer by \`customer.id\` (the surviving source profile) and, where there is one, \`customer.profileId\` (the source profile under which the interaction is stored).

A rule of your own on this bus receives them:

\`\`\`json
{ "source": ["tributary"], "detail-type": ["interaction.recorded"], "detail": { "kind": ["message"] } }
\`\`\`

| \`detail-type\` | when it is sent | schema of \`detail\` |
|---|---|---|
${entries.map(({ type, about }) => `| \`${type}\` | ${about} | [${type}.json](${schemaPath(type)}) |`).join('\n')}
`;

/** The JSON Schema of each event's detail, by its path below docs/. */
export const eventSchemas = (): ReadonlyMap<string, string> =>
  new Map(
    entries.map(({ type, about, detail }) => {
      const schema = { title: type, description: about, ...z.toJSONSchema(detail, { io: 'input' }) };
      return [schemaPath(type), `${JSON.stringify(schema, null, 2)}\n`];
    }),
  );
