import { open, type FileHandle } from 'node:fs/promises';
import { AppError } from '../../base/errors.ts';

/** "File Format" of Parquet: magic, columns, footer, its length in four bytes, magic. */
const MAGIC = 'PAR1';
const TAIL_BYTES = 8;
/** Thousands of columns in thousands of row groups. */
const FOOTER_BYTES_MAX = 64 * 1024 * 1024;

/**
 * A Parquet file with the footer of the given one and nothing else: it tells the columns of a file
 * of any size. `INVALID_INPUT` for what is no Parquet file.
 */
export async function parquetFooter(path: string): Promise<Uint8Array> {
  const file = await open(path).catch(() => {
    throw notParquet(path, 'it cannot be opened');
  });
  try {
    const { size } = await file.stat();
    if (size < MAGIC.length + TAIL_BYTES) throw notParquet(path, 'it is too short');
    const tail = await read(file, size - TAIL_BYTES, TAIL_BYTES);
    if (tail.subarray(4).toString('latin1') !== MAGIC) throw notParquet(path, 'its end is missing');
    const length = tail.readUInt32LE(0);
    if (length > Math.min(FOOTER_BYTES_MAX, size - MAGIC.length - TAIL_BYTES)) {
      throw notParquet(path, `its footer has ${length} bytes`);
    }
    const footer = await read(file, size - TAIL_BYTES - length, length);
    return Buffer.concat([Buffer.from(MAGIC), footer, tail]);
  } finally {
    await file.close();
  }
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function notParquet(path: string, why: string): AppError {
  return new AppError('INVALID_INPUT', `${path} is no complete Parquet file: ${why}.`, {
    hint: 'Check the path; columns can be named instead, such as id:long origin:string.',
  });
}
