import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { formatInstant, type Micros } from '../../base/time.ts';
import { openDuckDb } from '../../platform/analytics/duckdb.ts';
import type { Analytics } from '../../platform/analytics/port.ts';
import { createIds, systemClock } from '../../platform/system.ts';
import type { Column } from '../../capabilities/tables/contract.ts';

const MEMORY_BYTES = 1024 ** 3;

/** A prepared file of the example, and the columns of the table it goes to. */
export interface FlightFile {
  readonly name: 'departures' | 'landings' | 'airports';
  readonly columns: readonly Column[];
  /** The column that says when a row happened; null when it always holds. */
  readonly at: 'departed_at' | 'landed_at' | null;
}

function column(name: string, type: Column['type']): Column {
  return { name, type, nullable: false };
}

export const DEPARTURES: FlightFile = {
  name: 'departures',
  at: 'departed_at',
  columns: [
    column('flight_id', 'long'),
    column('departed_at', 'timestamp'),
    column('origin', 'string'),
    column('destination', 'string'),
    column('distance', 'integer'),
  ],
};

export const LANDINGS: FlightFile = {
  name: 'landings',
  at: 'landed_at',
  columns: [
    column('flight_id', 'long'),
    column('landed_at', 'timestamp'),
    column('origin', 'string'),
    column('destination', 'string'),
    column('delay', 'integer'),
    column('late', 'boolean'),
  ],
};

export const AIRPORTS: FlightFile = {
  name: 'airports',
  at: null,
  columns: [
    column('iata', 'string'),
    column('name', 'string'),
    column('zone', 'string'),
    column('latitude', 'double'),
    column('longitude', 'double'),
  ],
};

/** The prepared files as a program outside would read them: by time, in the order of the files. */
export class FlightFiles implements AsyncDisposable {
  readonly analytics: Analytics;
  readonly #folder: string;

  private constructor(folder: string, analytics: Analytics) {
    this.#folder = folder;
    this.analytics = analytics;
  }

  /** `folder` is the project's `data`. */
  static async open(folder: string): Promise<FlightFiles> {
    const temporaryFolder = path.join(folder, 'tmp');
    await mkdir(temporaryFolder, { recursive: true });
    const analytics = await openDuckDb({
      folders: [folder],
      temporaryFolder,
      memoryLimitBytes: MEMORY_BYTES,
      threads: 2,
      ids: createIds(systemClock),
    });
    return new FlightFiles(folder, analytics);
  }

  /** Writes the rows before `until` (all when the file has no time) and answers the new file. */
  async before(file: FlightFile, until: Micros): Promise<string> {
    const { name, columns, at } = file;
    const target = path.join(this.#folder, 'tmp', `${name}.parquet`);
    const where = at === null ? '' : `WHERE ${at} < TIMESTAMPTZ '${formatInstant(until)}'`;
    const sql = `SELECT * FROM read_parquet('${this.#path(file).replaceAll("'", "''")}') ${where}`;
    await this.analytics.writeParquet(target, { kind: 'select', sql }, columns);
    return target;
  }

  /** Where a prepared file is. */
  located(file: FlightFile): FlightFile & { readonly path: string } {
    return { ...file, path: this.#path(file) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.analytics.close();
  }

  #path({ name }: FlightFile): string {
    return path.join(this.#folder, `${name}.parquet`);
  }
}
