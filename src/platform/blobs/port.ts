/** Lowercase hexadecimal SHA-256 of the content. */
export type Digest = string & { readonly __unit: 'sha256' };

export interface StoredBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Content-addressed bytes: what is stored never changes, equal content is stored once. */
export interface Blobs {
  /**
   * Stores the bytes durably (temp file, fsync, rename, fsync of the folder) and returns their
   * digest. More than `maxBytes` rejects with `BODY_TOO_LARGE` and leaves nothing behind.
   */
  put(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options: { readonly maxBytes: number },
  ): Promise<StoredBlob>;
  /**
   * Removes what a `put` has brought and nobody has put since: the content of an upload that was
   * then refused. Leaves alone whatever was there before, or was put again.
   */
  discard(digest: Digest): Promise<void>;
  /** The whole content, checked against its digest; `BLOB_NOT_FOUND` when absent. */
  read(digest: Digest): Promise<Uint8Array>;
  /** Size in bytes, or null when absent. */
  size(digest: Digest): Promise<number | null>;
  /** Path of a local, read-only file with the content, for libraries that want a file. */
  localFile(digest: Digest): Promise<string>;
}
