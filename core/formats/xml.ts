import { XMLParser } from 'fast-xml-parser';
import { HubError } from '../errors.ts';

const MAX_BYTES = 2_000_000;
const MAX_DEPTH = 64;

const unreadableXml = (message: string, cause?: unknown): HubError =>
  new HubError('unreadable-delivery', message, { retry: 'never', ...(cause !== undefined && { cause }) });

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: true,
  processEntities: true,
  maxNestedTags: MAX_DEPTH,
});

/**
 * Parses XML into objects: elements by local name, attributes with the prefix `@`, every value as text, repeated elements as
 * a list. A document type or an entity declaration is refused before parsing. Throws `HubError` `unreadable-delivery`.
 */
export const parseXml = (bytes: Uint8Array): unknown => {
  if (bytes.byteLength > MAX_BYTES) throw unreadableXml(`The XML has more than ${MAX_BYTES} bytes.`);
  const text = new TextDecoder().decode(bytes);
  if (/<!\s*(?:DOCTYPE|ENTITY)/iu.test(text))
    throw unreadableXml('The XML contains a document type, which is not allowed.');
  if (/<\/?(?:[\w.-]+:)?(?:__proto__|constructor|prototype)[\s/>]/u.test(text))
    throw unreadableXml('The XML contains an element with a reserved name.');
  try {
    return parser.parse(text, true);
  } catch (error) {
    throw unreadableXml('The body is not XML.', error);
  }
};
