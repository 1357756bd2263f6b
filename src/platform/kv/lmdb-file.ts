import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';

/** The files of a map within its folder. */
export const DATA_FILE = 'data.mdb';
export const LOCK_FILE = 'lock.mdb';

/** Where a page's content begins, and what lmdb's fork has in its two meta pages there (mdb.c). */
const META = 24;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
const PAGE_BYTES = META + 24;
const ROOTS = [META + 64, META + 120];
const TRANSACTION = META + 136;
const META_BYTES = META + 144;
/** The root of a tree without a page. */
const NO_PAGE = 2n ** 64n - 1n;

/**
 * What lies in a map's folder. lmdb trusts the file: opened on one that is torn or overwritten, it
 * ends the process instead of failing. This looks at what it looks at first; damage further inside
 * is only found by reading there.
 */
export function lmdbFileState(folder: string): 'none' | 'whole' | 'damaged' {
  let file: number;
  try {
    file = openSync(path.join(folder, DATA_FILE), 'r');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return 'none';
    throw thrown;
  }
  try {
    // A file without content is one that its writer is about to initialise.
    const { size } = fstatSync(file);
    if (size === 0) return 'none';
    const first = metaPage(file, 0);
    if (first === null) return 'damaged';
    const pageBytes = first.getUint32(PAGE_BYTES, true);
    const second = metaPage(file, pageBytes);
    if (second === null) return 'damaged';
    const [a, b] = [first, second].map((page) => page.getBigUint64(TRANSACTION, true));
    const newest = a! > b! ? first : second;
    const pages = BigInt(Math.floor(size / pageBytes));
    const isRooted = ROOTS.every((at) => {
      const root = newest.getBigUint64(at, true);
      return root === NO_PAGE || root < pages;
    });
    return isRooted ? 'whole' : 'damaged';
  } finally {
    closeSync(file);
  }
}

function metaPage(file: number, at: number): DataView | null {
  const page = new DataView(new ArrayBuffer(META_BYTES));
  if (readSync(file, page, 0, META_BYTES, at) < META_BYTES) return null;
  const isMeta = page.getUint32(META, true) === MAGIC && page.getUint32(META + 4, true) === VERSION;
  return isMeta && page.getUint32(PAGE_BYTES, true) >= 512 ? page : null;
}
