import { AwsRefusal, type Presign, type SignedCalls } from '../../aws/clients/signed.ts';

const OPEN_SECONDS = 300;

export interface Download {
  /** Opens the file for whoever has it, as a download, until `expiresAt`. */
  readonly url: string;
  readonly expiresAt: string;
}

interface DownloadPorts {
  readonly aws: Pick<SignedCalls, 'rest'>;
  readonly presign: Presign;
  readonly bucket: string;
  readonly now: () => number;
}

/** Signed addresses of files in the bucket; undefined where the file is not there, or not yet. */
export const downloads =
  ({ aws, presign, bucket, now }: DownloadPorts) =>
  async (key: string, name: string): Promise<Download | undefined> => {
    try {
      await aws.rest('s3', { method: 'HEAD', path: `/${bucket}/${key}` });
    } catch (error) {
      if (error instanceof AwsRefusal) return undefined;
      throw error;
    }
    // A stranger's file is downloaded, and never shown by the browser as a page.
    const plain = name.replace(/[^\w .()-]/gu, '_');
    const disposition = `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`;
    const url = await presign('GET', key, OPEN_SECONDS, { 'response-content-disposition': disposition });
    return { url, expiresAt: new Date(now() + OPEN_SECONDS * 1000).toISOString() };
  };
