/**
 * The files of one table's `_delta_log`, by name. What a commit means rests on `putIfAbsent`:
 * exactly one of several writers may create a name, and no reader may ever see half of its content.
 */
export interface LogStore {
  /** Names that sort at or after `from`, ascending; empty when there is no log. */
  list(from: string): Promise<readonly string[]>;
  /** The content as text, or null when there is no such file. */
  read(name: string): Promise<string | null>;
  /** Creates the file atomically and durably; false when the name is taken. */
  putIfAbsent(name: string, content: string): Promise<boolean>;
  /** Creates or replaces the file atomically: only for `_last_checkpoint`, which is a hint. */
  replace(name: string, content: string): Promise<void>;
  /** When the file was written, in milliseconds since 1970; null when there is no such file. */
  modifiedMs(name: string): Promise<number | null>;
}
