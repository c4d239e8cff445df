import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import * as z from 'zod';
import { transaction } from '../protocol/transaction.ts';

const Headers = z.record(z.string(), z.string());

/** An object without its bytes. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  /** With its quotes. */
  readonly etag: string;
  /** The headers of its responses: type, encoding, metadata, encryption. */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksums: Readonly<Record<string, string>>;
  readonly modifiedAt: number;
}

export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly startedAt: number;
}

export interface Part {
  readonly number: number;
  readonly etag: string;
  readonly size: number;
  readonly modifiedAt: number;
}

type Verb =
  | 'bucket'
  | 'buckets'
  | 'addBucket'
  | 'removeBucket'
  | 'lifecycle'
  | 'putLifecycle'
  | 'removeLifecycle'
  | 'head'
  | 'bytes'
  | 'put'
  | 'putHeaders'
  | 'remove'
  | 'expire'
  | 'after'
  | 'upload'
  | 'removeUploads'
  | 'addUpload'
  | 'removeUpload'
  | 'part'
  | 'partBytes'
  | 'putPart'
  | 'removeParts'
  | 'removeBucketParts';

const LISTED = 'key, length(body) AS size, etag, headers, checksums, modified_at';

/** Buckets, objects and multipart uploads in SQLite. Keys are sorted by their UTF-8 bytes. */
export class ObjectStore {
  readonly #db: DatabaseSync;
  readonly #statements: Readonly<Record<Verb, StatementSync>>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(`
      CREATE TABLE IF NOT EXISTS s3_buckets (name TEXT PRIMARY KEY, created_at INTEGER NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS s3_lifecycles (bucket TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS s3_objects (bucket TEXT NOT NULL, key TEXT NOT NULL, etag TEXT NOT NULL, headers TEXT NOT NULL, checksums TEXT NOT NULL, modified_at INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (bucket, key)) STRICT;
      CREATE TABLE IF NOT EXISTS s3_uploads (id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, headers TEXT NOT NULL, started_at INTEGER NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS s3_parts (upload TEXT NOT NULL, number INTEGER NOT NULL, etag TEXT NOT NULL, modified_at INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (upload, number)) STRICT;
    `);
    const part = 'number, etag, length(body) AS size, modified_at';
    this.#statements = {
      bucket: db.prepare('SELECT 1 FROM s3_buckets WHERE name = ?'),
      buckets: db.prepare('SELECT name, created_at FROM s3_buckets ORDER BY name'),
      addBucket: db.prepare('INSERT INTO s3_buckets VALUES (?, ?)'),
      removeBucket: db.prepare('DELETE FROM s3_buckets WHERE name = ?'),
      lifecycle: db.prepare('SELECT text FROM s3_lifecycles WHERE bucket = ?'),
      putLifecycle: db.prepare('INSERT OR REPLACE INTO s3_lifecycles VALUES (?, ?)'),
      removeLifecycle: db.prepare('DELETE FROM s3_lifecycles WHERE bucket = ?'),
      head: db.prepare(`SELECT ${LISTED} FROM s3_objects WHERE bucket = ? AND key = ?`),
      bytes: db.prepare('SELECT substr(body, ?, ?) AS bytes FROM s3_objects WHERE bucket = ? AND key = ?'),
      put: db.prepare('INSERT OR REPLACE INTO s3_objects VALUES (?, ?, ?, ?, ?, ?, ?)'),
      putHeaders: db.prepare('UPDATE s3_objects SET headers = ? WHERE bucket = ? AND key = ?'),
      remove: db.prepare('DELETE FROM s3_objects WHERE bucket = ? AND key = ?'),
      expire: db.prepare(
        `DELETE FROM s3_objects WHERE bucket = ? AND key >= ? AND substr(key, 1, length(?)) = ? AND modified_at < ?
          AND instr('&' || coalesce(json_extract(headers, '$."x-amz-tagging"'), '') || '&', ?) > 0`,
      ),
      after: db.prepare(
        `SELECT ${LISTED} FROM s3_objects WHERE bucket = ? AND key >= ? AND key > ? ORDER BY key LIMIT ?`,
      ),
      upload: db.prepare('SELECT * FROM s3_uploads WHERE id = ? AND bucket = ? AND key = ?'),
      removeUploads: db.prepare('DELETE FROM s3_uploads WHERE bucket = ?'),
      addUpload: db.prepare('INSERT INTO s3_uploads VALUES (?, ?, ?, ?, ?)'),
      removeUpload: db.prepare('DELETE FROM s3_uploads WHERE id = ?'),
      part: db.prepare(`SELECT ${part} FROM s3_parts WHERE upload = ? AND number = ?`),
      partBytes: db.prepare('SELECT body FROM s3_parts WHERE upload = ? AND number = ?'),
      putPart: db.prepare('INSERT OR REPLACE INTO s3_parts VALUES (?, ?, ?, ?, ?)'),
      removeParts: db.prepare('DELETE FROM s3_parts WHERE upload = ?'),
      removeBucketParts: db.prepare(
        'DELETE FROM s3_parts WHERE upload IN (SELECT id FROM s3_uploads WHERE bucket = ?)',
      ),
    };
  }

  hasBucket(name: string): boolean {
    return this.#statements.bucket.get(name) !== undefined;
  }

  buckets(): { readonly name: string; readonly createdAt: number }[] {
    return this.#statements.buckets
      .all()
      .map((row) => ({ name: String(row['name']), createdAt: Number(row['created_at']) }));
  }

  addBucket(name: string, now: number): void {
    this.#statements.addBucket.run(name, now);
  }

  removeBucket(name: string): void {
    this.#statements.removeBucketParts.run(name);
    this.#statements.removeUploads.run(name);
    this.#statements.removeLifecycle.run(name);
    this.#statements.removeBucket.run(name);
  }

  /** The lifecycle document of a bucket. */
  lifecycle(bucket: string): string | undefined {
    const row = this.#statements.lifecycle.get(bucket);
    return row === undefined ? undefined : String(row['text']);
  }

  putLifecycle(bucket: string, text: string): void {
    this.#statements.putLifecycle.run(bucket, text);
  }

  head(bucket: string, key: string): StoredObject | undefined {
    const row = this.#statements.head.get(bucket, key);
    return row && objectOf(row);
  }

  /** `length` bytes of an object from `start` on. */
  bytes(bucket: string, key: string, start: number, length: number): Uint8Array {
    return blobOf(this.#statements.bytes.get(start + 1, length, bucket, key)?.['bytes']);
  }

  put(bucket: string, object: Omit<StoredObject, 'size'>, body: Uint8Array): void {
    const { key, etag, headers, checksums, modifiedAt } = object;
    this.#statements.put.run(
      bucket,
      key,
      etag,
      JSON.stringify(headers),
      JSON.stringify(checksums),
      modifiedAt,
      body,
    );
  }

  /** Replaces the headers of an object, its tags among them. */
  putHeaders(bucket: string, key: string, headers: StoredObject['headers']): void {
    this.#statements.putHeaders.run(JSON.stringify(headers), bucket, key);
  }

  remove(bucket: string, key: string): void {
    this.#statements.remove.run(bucket, key);
  }

  /** Removes the objects below a prefix that were written before an instant; with `tag`, as `key=value`, only those that have it. */
  expire(bucket: string, prefix: string, before: number, tag: string | undefined): void {
    const sought = tag === undefined ? '&' : `&${tag}&`;
    this.#statements.expire.run(bucket, prefix, prefix, prefix, before, sought);
  }

  /** Up to `limit` objects whose key is `from` or later and comes after `after`. */
  following(bucket: string, from: string, after: string, limit: number): StoredObject[] {
    return this.#statements.after.all(bucket, from, after, limit).map(objectOf);
  }

  upload(id: string, bucket: string, key: string): Upload | undefined {
    const row = this.#statements.upload.get(id, bucket, key);
    return row && uploadOf(row);
  }

  addUpload({ id, bucket, key, headers, startedAt }: Upload): void {
    this.#statements.addUpload.run(id, bucket, key, JSON.stringify(headers), startedAt);
  }

  putPart(upload: string, { number, etag, modifiedAt }: Omit<Part, 'size'>, body: Uint8Array): void {
    this.#statements.putPart.run(upload, number, etag, modifiedAt, body);
  }

  part(upload: string, number: number): Part | undefined {
    const row = this.#statements.part.get(upload, number);
    return row && partOf(row);
  }

  /** Creates an object from parts and removes the upload, in one transaction. */
  complete(upload: Upload, object: Omit<StoredObject, 'size'>, numbers: readonly number[]): void {
    transaction(this.#db, () => {
      const body = Buffer.concat(
        numbers.map((number) => blobOf(this.#statements.partBytes.get(upload.id, number)?.['body'])),
      );
      this.put(upload.bucket, object, body);
      this.removeUpload(upload.id);
    });
  }

  removeUpload(id: string): void {
    this.#statements.removeParts.run(id);
    this.#statements.removeUpload.run(id);
  }
}

const blobOf = (value: SQLOutputValue | undefined): Uint8Array =>
  value instanceof Uint8Array ? value : new Uint8Array();

const objectOf = (row: Record<string, SQLOutputValue>): StoredObject => ({
  key: String(row['key']),
  size: Number(row['size']),
  etag: String(row['etag']),
  headers: Headers.parse(JSON.parse(String(row['headers']))),
  checksums: Headers.parse(JSON.parse(String(row['checksums']))),
  modifiedAt: Number(row['modified_at']),
});

const uploadOf = (row: Record<string, SQLOutputValue>): Upload => ({
  id: String(row['id']),
  bucket: String(row['bucket']),
  key: String(row['key']),
  headers: Headers.parse(JSON.parse(String(row['headers']))),
  startedAt: Number(row['started_at']),
});

const partOf = (row: Record<string, SQLOutputValue>): Part => ({
  number: Number(row['number']),
  etag: String(row['etag']),
  size: Number(row['size']),
  modifiedAt: Number(row['modified_at']),
});
