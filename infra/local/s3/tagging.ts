import { element } from '../protocol/query.ts';
import { emptyAnswer, xmlAnswer } from './answer.ts';
import { expectObject } from './objects.ts';
import type { S3Operation } from './request.ts';
import type { ObjectStore } from './store.ts';
import { TAGGING, tagging, tagsIn } from './tags.ts';

/** The operations on the tags of objects. None of them changes when an object was last modified. */
export const objectTags = (store: ObjectStore): Readonly<Record<string, S3Operation>> => {
  const write = (bucket: string, key: string, tags: string): void => {
    const { [TAGGING]: _, ...headers } = expectObject(store, bucket, key).headers;
    store.putHeaders(bucket, key, tags === '' ? headers : { ...headers, [TAGGING]: tags });
  };
  return {
    PutObjectTagging({ bucket, key, body }) {
      write(bucket, key, tagging(tagsIn(Buffer.from(body).toString())));
      return emptyAnswer(200);
    },
    GetObjectTagging({ bucket, key }) {
      const tags = new URLSearchParams(expectObject(store, bucket, key).headers[TAGGING]);
      const listed = [...tags].map(
        ([Key, Value]) => `<Tag>${element('Key', Key)}${element('Value', Value)}</Tag>`,
      );
      return xmlAnswer('Tagging', `<TagSet>${listed.join('')}</TagSet>`);
    },
    DeleteObjectTagging({ bucket, key }) {
      write(bucket, key, '');
      return emptyAnswer(204);
    },
  };
};
