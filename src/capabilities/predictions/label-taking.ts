import type { IndexedKeys } from './indexed-keys.ts';
import type { JoinInput } from './join-labels.ts';
import {
  takeJoined,
  type JoinedCounts,
  type JoinedLabels,
  type JoinedRow,
} from './joined-labels.ts';
import type { LabelProgress, LabelProgressStore, LabelValue } from './label-progress.ts';
import type { SourceRow } from './label-rows.ts';
import type { RequestIndex } from './request-index.ts';
import type { WaitingLabels } from './waiting-labels.ts';

type Mutable<Fields> = { -readonly [Name in keyof Fields]: Fields[Name] };

interface Parts {
  readonly store: LabelProgressStore;
  readonly joined: JoinedLabels;
  readonly waiting: WaitingLabels;
  readonly requests: RequestIndex;
  readonly indexed: IndexedKeys;
}

/** What one step adds, not noted yet. */
interface Step {
  readonly added: JoinedRow[];
  readonly values: Map<string, LabelValue>;
  readonly requestOf: (key: string) => string | null;
}

/** Takes rows of a source in their order: which of them are labels of requests, and new ones. */
export class LabelTaking {
  readonly #input: JoinInput;
  readonly #parts: Parts;
  /** What is in `labels.<endpoint>` already, though it was not noted. */
  readonly #recovered: JoinedCounts | null;
  readonly #progress: Mutable<LabelProgress>;
  readonly #horizon: number;

  constructor(
    input: JoinInput,
    parts: Parts,
    from: { readonly progress: LabelProgress; readonly recovered: JoinedCounts | null },
  ) {
    this.#input = input;
    this.#parts = parts;
    this.#recovered = from.recovered;
    this.#progress = { ...from.progress };
    this.#horizon = input.now - input.label.matureMicros;
  }

  get progress(): LabelProgress {
    return this.#progress;
  }

  /** Nothing waits in memory although something was noted to. */
  get isWaitingLost(): boolean {
    const { version, waitingSince } = this.#progress;
    return this.#parts.waiting.since(version) !== waitingSince;
  }

  /** Rows that were taken before; those without a label yet wait again. */
  remember(rows: readonly (SourceRow | null)[], since: number): void {
    const { store, waiting } = this.#parts;
    const { requestOf } = this.#step();
    for (const row of rows) {
      if (row === null || row.time < this.#horizon) continue;
      const requestId = requestOf(row.key);
      if (requestId === null || store.valueOf(requestId) === null) waiting.add(row, since);
    }
  }

  /** Takes the rows that bring the source to `version`, and notes it. */
  async take(
    rows: readonly (SourceRow | null)[],
    { version }: { readonly version: number },
  ): Promise<void> {
    const { store, joined, waiting, indexed } = this.#parts;
    const progress = this.#progress;
    const before = { version: progress.version, waitingSince: progress.waitingSince };
    const step = this.#step();
    const arrived = indexed.take(this.#input.label.endpoint);
    const known = waiting.take(this.#horizon, arrived, (key) => step.requestOf(key) !== null);
    for (const row of known) {
      progress.orphans -= 1;
      this.#label(step, step.requestOf(row.key)!, row);
    }
    for (const row of rows) this.#row(step, row);
    await joined.append(step.added);
    progress.seq = joined.newest;
    progress.version = version;
    progress.waitingSince = waiting.since(version);
    const isSame = before.version === version && before.waitingSince === progress.waitingSince;
    if (isSame && rows.length + known.length === 0) return;
    await store.apply(step.values, progress);
  }

  #step(): Step {
    const found = new Map<string, string | null>();
    const { endpoint } = this.#input.label;
    // A source may hold years of events before the first request.
    const hasKeys = this.#parts.requests.hasKeys(endpoint);
    const requestOf = (key: string): string | null => {
      if (!hasKeys) return null;
      let requestId = found.get(key);
      if (requestId === undefined) {
        requestId = this.#parts.requests.byKey(endpoint, key)?.requestId ?? null;
        found.set(key, requestId);
      }
      return requestId;
    };
    return { added: [], values: new Map(), requestOf };
  }

  #row(step: Step, row: SourceRow | null): void {
    const progress = this.#progress;
    progress.rows += 1;
    if (row === null) return;
    progress.newestAt = Math.max(progress.newestAt ?? row.time, row.time);
    const requestId = step.requestOf(row.key);
    if (requestId !== null) {
      this.#label(step, requestId, row);
      return;
    }
    progress.orphans += 1;
    if (row.time >= this.#horizon) this.#parts.waiting.add(row, progress.version);
  }

  #label(step: Step, requestId: string, row: SourceRow): void {
    const former = step.values.get(requestId) ?? this.#parts.store.valueOf(requestId);
    if (former === row.value) return;
    if (former === null) this.#progress.matched += 1;
    else this.#progress.corrected += 1;
    step.values.set(requestId, row.value);
    if (!takeJoined(this.#recovered, { requestId, row })) step.added.push({ requestId, row });
  }
}
