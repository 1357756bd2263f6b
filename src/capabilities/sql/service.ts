import { AppError } from '../../base/errors.ts';
import type { Engine } from '../../platform/engine/port.ts';
import { SQL_SECONDS_MAX, type SqlAnswer, type TableAt } from './contract.ts';
import type { SqlTasks } from './tasks.ts';

export interface SqlRequest {
  readonly sql: string;
  /** Rows of the answer at most. */
  readonly limit: number;
  readonly asOf: readonly TableAt[];
}

/** Each takes a core and up to its limit of memory. */
const AT_ONCE_MAX = 2;
/** Besides the query's own time: opening its tables, and its process. */
const AROUND_MS = 30_000;

/** Questions of users over the tables; how they are answered is in `tasks.ts`. */
export class SqlService {
  readonly #engine: Engine<SqlTasks>;
  #running = 0;

  constructor({ engine }: { readonly engine: Engine<SqlTasks> }) {
    this.#engine = engine;
  }

  /** `QUERY_LIMIT` names the limit that was reached, `OVERLOADED` says that others are running. */
  async run(request: SqlRequest, signal: AbortSignal): Promise<SqlAnswer> {
    if (this.#running >= AT_ONCE_MAX) {
      throw new AppError('OVERLOADED', `${AT_ONCE_MAX} queries are running already.`, {
        hint: `Ask again when one has ended: each has at most ${SQL_SECONDS_MAX} s.`,
      });
    }
    this.#running += 1;
    try {
      const timeoutMs = SQL_SECONDS_MAX * 1000 + AROUND_MS;
      return await this.#engine.run('sql.query', request, { signal, timeoutMs });
    } finally {
      this.#running -= 1;
    }
  }
}
