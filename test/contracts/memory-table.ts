import { parseActions, type Action } from '../../src/formats/delta/actions.ts';
import type { LogStore } from '../../src/formats/delta/log-store.ts';
import type { ParquetPort } from '../../src/formats/delta/parquet-port.ts';
import type { TableIo } from '../../src/formats/delta/table-io.ts';

/** A table's files in a map: checkpoints are kept as lines of JSON. */
export class MemoryTable implements TableIo, LogStore, ParquetPort {
  readonly location = '/memory/table';
  readonly files = new Map<string, string>();
  readonly log = this;
  readonly parquet = this;

  list(from: string): Promise<readonly string[]> {
    return Promise.resolve([...this.files.keys()].filter((name) => name >= from).toSorted());
  }

  read(name: string): Promise<string | null> {
    return Promise.resolve(this.files.get(name) ?? null);
  }

  putIfAbsent(name: string, content: string): Promise<boolean> {
    if (this.files.has(name)) return Promise.resolve(false);
    this.files.set(name, content);
    return Promise.resolve(true);
  }

  replace(name: string, content: string): Promise<void> {
    this.files.set(name, content);
    return Promise.resolve();
  }

  modifiedMs(name: string): Promise<number | null> {
    return Promise.resolve(this.files.has(name) ? 0 : null);
  }

  async *readCheckpoint(name: string): AsyncGenerator<readonly Action[]> {
    const content = await this.read(name);
    if (content === null) throw new Error(`no checkpoint ${name}`);
    yield parseActions(content, name);
  }

  async writeCheckpoint(name: string, lines: Iterable<string>): Promise<{ sizeBytes: number }> {
    const content = [...lines].join('\n');
    await this.putIfAbsent(name, content);
    return { sizeBytes: content.length };
  }
}
