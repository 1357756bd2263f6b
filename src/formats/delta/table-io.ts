import type { LogStore } from './log-store.ts';
import type { ParquetPort } from './parquet-port.ts';

/** All the input and output the protocol needs for one table. */
export interface TableIo {
  /** The table's folder, for messages. */
  readonly location: string;
  readonly log: LogStore;
  readonly parquet: ParquetPort;
}
