import type { Action } from './actions.ts';

/** Reads and writes checkpoint files, by name inside `_delta_log`. */
export interface ParquetPort {
  /**
   * The actions of a checkpoint, in file order, in batches. Rejects when the file is absent or is
   * not a readable checkpoint; columns the file lacks are absent in the actions.
   */
  readCheckpoint(name: string): AsyncIterable<readonly Action[]>;
  /**
   * Writes actions (one JSON line each) as a classic checkpoint, atomically and durably. An
   * existing file of that name holds the same state and is kept.
   */
  writeCheckpoint(name: string, lines: Iterable<string>): Promise<{ readonly sizeBytes: number }>;
}
