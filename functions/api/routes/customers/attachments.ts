import type { Bucket } from '../../../aws/clients/bucket.ts';
import type { History, StoredInteraction } from '../../../contracts/ports/history.ts';
import { problem } from '../../../middleware/http.ts';
import { json, pathParameter, type Routes } from '../route.ts';

const OPEN_SECONDS = 300;

export interface AttachmentPorts {
  readonly history: History;
  readonly interaction: (id: string) => Promise<StoredInteraction | undefined>;
  readonly download: (key: string, name: string) => Promise<Download | undefined>;
}

interface Download {
  /** Downloads the file without an API key until `expiresAt`. */
  readonly url: string;
  readonly expiresAt: string;
}

interface DownloadPorts {
  readonly bucket: Pick<Bucket, 'has' | 'presign'>;
  readonly now: () => number;
}

export const attachmentRoutes: Routes<AttachmentPorts> = {
  'GET /customers/{id}/interactions/{interaction}/attachments/{n}': async (event, ports) => {
    const number = pathParameter(event, 'n');
    const [customer, interaction] = await Promise.all([
      ports.history.customer(pathParameter(event, 'id')),
      ports.interaction(pathParameter(event, 'interaction')),
    ]);
    const belongs = customer?.sourceProfiles.some(({ profile }) => profile.id === interaction?.profileId);
    const file = belongs === true ? interaction?.attachments?.[Number(number)] : undefined;
    if (file === undefined)
      return problem(
        404,
        'unknown-attachment',
        'This customer has no such interaction, or the interaction has no such attachment.',
      );
    const { key, name, url } = file;
    if (key === undefined)
      return url === undefined
        ? problem(
            404,
            'unavailable-file',
            'The file is stored at the provider only, which gives no URL of it.',
          )
        : json(200, { url });
    const download = await ports.download(key, name ?? `attachment-${number}`);
    return download === undefined
      ? problem(
          404,
          'unavailable-file',
          'The file was not copied from the provider yet. The failures show whether the copy failed.',
        )
      : json(200, download);
  },
};

/** Signed URLs of files in the bucket; undefined where the file is not there, or not yet. */
export const downloads =
  ({ bucket, now }: DownloadPorts) =>
  async (key: string, name: string): Promise<Download | undefined> => {
    if (!(await bucket.has(key))) return undefined;
    // Strangers send these files: the browser must save them and never render them.
    const plain = name.replace(/[^\w .()-]/gu, '_');
    const disposition = `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`;
    const url = await bucket.presign('GET', key, OPEN_SECONDS, {
      'response-content-disposition': disposition,
    });
    return { url, expiresAt: new Date(now() + OPEN_SECONDS * 1000).toISOString() };
  };
