import { readdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Log } from '../log/log.ts';
import { scanSegment, type SegmentSummary } from './scan-segment.ts';
import type { SealedSegments } from './sealed-segments.ts';

const SEGMENT_NAME = /^([a-z0-9-]+)\.(\d{15})\.seg$/;

/**
 * Takes over the segments that a former process of this name left in the folder. Answers which
 * journal they are of, null when there are none, and the first number after all of theirs.
 */
export async function recoverSegments(options: {
  readonly folder: string;
  readonly writer: string;
  readonly sealed: SealedSegments;
  readonly log: Log;
}): Promise<{ readonly writer: string | null; readonly firstSeq: number }> {
  const { folder, sealed, log } = options;
  const names = (await readdir(folder)).filter(
    (name) => SEGMENT_NAME.test(name) && name.startsWith(`${options.writer}-`),
  );
  let writer: string | null = null;
  let firstSeq = 0;
  for (const name of names.sort()) {
    const file = path.join(folder, name);
    const segment = await scanIfPresent(file);
    // The engine of a killed process may still be flushing; it never takes the newest segment.
    if (segment === 'gone') continue;
    if (segment === null) {
      await unlink(file);
      continue;
    }
    ({ writer } = segment.header);
    firstSeq = segment.header.firstSeq + segment.header.reserved;
    sealed.add(file, segment.bytes);
    if (segment.tail !== 'clean' && segment.lastSeq !== null) {
      log.warn('journal.recovered', {
        segment: name,
        tail: segment.tail,
        records: segment.records,
        // A power loss may have taken records with these numbers; a killed process has not.
        may_miss_from_seq: segment.lastSeq + 1,
        may_miss_below_seq: firstSeq,
      });
    }
  }
  return { writer, firstSeq };
}

async function scanIfPresent(file: string): Promise<SegmentSummary | 'gone' | null> {
  try {
    return await scanSegment(file);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
    throw thrown;
  }
}
