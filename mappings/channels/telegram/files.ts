// https://core.telegram.org/bots/api#getfile
// A photo has many sizes, the largest last; an animation arrives as a document as well.

import * as z from 'zod';
import { defined, urlPart } from '../../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';

const Text = z.string().optional();

const File = z.looseObject({
  file_id: z.string(),
  file_name: Text,
  mime_type: Text,
  file_size: z.int().nonnegative().optional(),
});
/** The parts of a message that are files. */
export const Media = z.looseObject({
  photo: z.array(File).optional(),
  animation: File.optional(),
  audio: File.optional(),
  document: File.optional(),
  sticker: File.optional(),
  video: File.optional(),
  video_note: File.optional(),
  voice: File.optional(),
});

/** The largest file that the Bot API lets a bot download. */
const LARGEST_BYTES = 20_000_000;

const files = ['animation', 'audio', 'document', 'sticker', 'video', 'video_note', 'voice'] as const;

/** The files of a message. */
export const attachmentsOf = (
  message: z.infer<typeof Media>,
): NonNullable<DecodedInteraction['attachments']> => {
  const photo = message.photo?.at(-1);
  const found = files
    .filter((type) => type !== 'document' || message.animation === undefined)
    .map((type) => [type, message[type]] as const);
  return [['photo', photo && { mime_type: 'image/jpeg', ...photo }] as const, ...found].flatMap(
    ([type, file]) =>
      file === undefined
        ? []
        : [
            defined({
              name: file.file_name ?? type,
              contentType: file.mime_type,
              size: file.file_size,
              externalId: file.file_id,
              ...((file.file_size ?? 0) <= LARGEST_BYTES && {
                url: `https://api.telegram.org/getFile?file_id=${urlPart(file.file_id)}`,
                keep: true as const,
              }),
            }),
          ],
  );
};
