import { ServiceError } from '../protocol/json.ts';
import { elementsIn, textIn } from './answer.ts';

/** The stored header that holds the tags of an object, as `key=value&…`. No response has it. */
export const TAGGING = 'x-amz-tagging';
const MOST_TAGS = 10;

/** Tags in the form in which they are stored and compared. @throws ServiceError `BadRequest`, `InvalidTag`. */
export const tagging = (tags: Iterable<readonly [string, string]>): string => {
  const pairs = [...tags];
  if (pairs.length > MOST_TAGS)
    throw new ServiceError('BadRequest', `Object tags cannot be greater than ${MOST_TAGS}`);
  if (new Set(pairs.map(([key]) => key)).size < pairs.length)
    throw new ServiceError('InvalidTag', 'Cannot provide multiple Tags with the same key');
  if (pairs.some(([key]) => key === '' || key.length > 128))
    throw new ServiceError('InvalidTag', 'The TagKey you have provided is invalid');
  if (pairs.some(([, value]) => value.length > 256))
    throw new ServiceError('InvalidTag', 'The TagValue you have provided is invalid');
  return new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, value])).toString();
};

/** The tags of an XML document. @throws ServiceError `MalformedXML` for a tag without key or value. */
export const tagsIn = (xml: string): [string, string][] =>
  elementsIn(xml, 'Tag').map((tag) => {
    const [key, value] = [textIn(tag, 'Key'), textIn(tag, 'Value')];
    if (key === undefined || value === undefined)
      throw new ServiceError('MalformedXML', 'A Tag has a Key and a Value.');
    return [key, value];
  });
