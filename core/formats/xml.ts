import { XMLParser } from 'fast-xml-parser';
import { HubError } from '../errors.ts';

const LARGEST_BYTES = 2_000_000;
const DEEPEST_ELEMENT = 64;

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
  maxNestedTags: DEEPEST_ELEMENT,
});

/**
 * XML as objects: elements by their local names, attributes with `@` before theirs, every value text, what is repeated a
 * list. Document types and entities of the document's own are refused unread.
 */
export const parseXml = (bytes: Uint8Array): unknown => {
  if (bytes.byteLength > LARGEST_BYTES) throw unreadableXml(`The XML has more than ${LARGEST_BYTES} bytes.`);
  const text = new TextDecoder().decode(bytes);
  if (/<!\s*(?:DOCTYPE|ENTITY)/iu.test(text))
    throw unreadableXml('The XML holds a document type, which is refused.');
  if (/<\/?(?:[\w.-]+:)?(?:__proto__|constructor|prototype)[\s/>]/u.test(text))
    throw unreadableXml('The XML holds an element that no vendor sends.');
  try {
    return parser.parse(text, true);
  } catch (error) {
    throw unreadableXml('The body is not XML.', error);
  }
};
