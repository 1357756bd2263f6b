import { AppError, toAppError } from '../../base/errors.ts';
import { decodeCursor, encodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import { formatInstant, MICROS_PER_SECOND, parseInstant, type Clock } from '../../base/time.ts';
import { present } from '../../base/assert.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { Journal } from '../../platform/journal/journal.ts';
import { after } from '../../platform/system.ts';
import {
  LIST_CHARS_MAX,
  type Label,
  type LabelInput,
  type Prediction,
  type TrafficHistory,
  type TrafficPoint,
} from './contract.ts';
import type { LogStatus, PredictionLog } from './log.ts';
import type { NearQuery, NearRequest } from './near-requests.ts';
import { toPrediction, toRefusedPrediction } from './prediction-view.ts';
import type { JournaledLabel, JournaledPrediction } from './record.ts';
import type { RequestIndex } from './request-index.ts';
import { rowFilters, type ListQuery } from './row-filters.ts';
import type { PredictionTasks } from './tasks.ts';
import { stretchesOf, type TrafficQuery } from './traffic-stretches.ts';
import type { UnflushedEntry } from './unflushed.ts';

export interface PredictionsDeps {
  readonly log: PredictionLog;
  readonly journal: Journal;
  readonly engine: Engine<PredictionTasks>;
  readonly clock: Clock;
  readonly index: RequestIndex;
  /** Whether there is such an endpoint: asking for the log of another is a mistake. */
  readonly isEndpoint: (name: string) => Promise<boolean>;
}

/** Requests looked up in one turn of the event loop, which that holds for about a millisecond. */
const LOOK_UPS_PER_TURN = 200;
/** How long a question about one request waits for the engine before it is answered without it. */
const ENGINE_WAIT_MS = 10_000;
/** A year of a busy endpoint is many files. */
const HISTORY_WAIT_MS = 60_000;

/** Answered requests and their outcomes: read from the journal first, then from the tables. */
export class PredictionsService {
  readonly #deps: PredictionsDeps;

  constructor(deps: PredictionsDeps) {
    this.#deps = deps;
  }

  /** The newest answer with this id; `REQUEST_NOT_FOUND` when there is none. */
  async find(requestId: string): Promise<Prediction> {
    const { log } = this.#deps;
    const entry = log.unflushed.byRequestId(requestId);
    const journaled = entry === null ? null : await this.#read(entry);
    if (journaled !== null) return journaled;
    const stored = await this.#stored(requestId);
    if (stored !== null) return stored;
    // What a killed process left in the journal is known to neither, until it is flushed.
    await within(ENGINE_WAIT_MS, log.flush());
    const flushed = await this.#stored(requestId);
    if (flushed === null) throw this.#unknown(`id ${requestId}`);
    return flushed;
  }

  /** Newest first. What only some are asked of is read from the table, once all are in it. */
  async list(endpoint: string, query: ListQuery): Promise<Page<Prediction>> {
    const { log, engine } = this.#deps;
    await this.#assertEndpoint(endpoint);
    const before = decodeCursor(query.cursor, 'number') ?? Number.MAX_SAFE_INTEGER;
    const limit = query.limit + 1;
    const which = rowFilters(query);
    if (which.length > 0) await within(ENGINE_WAIT_MS, log.flush());
    const entries = which.length > 0 ? [] : log.unflushed.newest(endpoint, { before, limit });
    const fitting = fittingEntries(entries);
    const journaled = await this.#journaled(fitting);
    // Past one that was flushed meanwhile everything is in the table, what was read from the
    // journal included: files do not vanish in the order in which they are read.
    const gone = journaled.indexOf(null);
    const kept = gone === -1 ? journaled : journaled.slice(0, gone);
    const recent = kept.filter((found) => found !== null);
    const oldest = recent.at(-1)?.seq ?? before;
    const missing = limit - recent.length;
    const isCut = gone === -1 && fitting.length < entries.length;
    const { rows, isCut: isTableCut } =
      missing === 0 || isCut
        ? { rows: [], isCut }
        : await engine.run('predictions.list', {
            endpoint,
            before: oldest,
            limit: missing,
            which,
          });
    const stored = rows.map(({ record, seq }) => ({
      seq,
      prediction: toPrediction(record, 'table'),
    }));
    const found = [...recent, ...stored];
    // What was left out counts as one more.
    const page = nextPage(found, isTableCut ? found.length : query.limit, (last) => last.seq);
    const items = page.items.map(({ prediction }) => prediction);
    const last = found.at(-1);
    const nextCursor = isTableCut && last !== undefined ? encodeCursor(last.seq) : page.nextCursor;
    return { items, nextCursor };
  }

  /** Around a moment, oldest first, also those answered just now. */
  async near(query: NearQuery): Promise<readonly NearRequest[]> {
    const { log, engine } = this.#deps;
    await within(ENGINE_WAIT_MS, log.flush());
    return await engine.run('predictions.near', query, { timeoutMs: HISTORY_WAIT_MS });
  }

  /**
   * Labels of one request, oldest first; the last one counts. `missing` says why there may be more:
   * what is known of a request is shown also while the engine is away.
   */
  async labelsOf(
    prediction: Prediction,
  ): Promise<{ readonly labels: readonly Label[]; readonly missing: string | null }> {
    const { engine, log } = this.#deps;
    const { endpoint, requestId } = prediction;
    try {
      await within(ENGINE_WAIT_MS, log.flushLabels());
      const options = { timeoutMs: ENGINE_WAIT_MS };
      const rows = await engine.run('predictions.labels', { endpoint, requestId }, options);
      const labels = rows.map(({ value, at }, index) => ({
        requestId,
        value: JSON.parse(value) as Label['value'],
        at: formatInstant(at),
        revision: index + 1,
      }));
      return { labels, missing: log.doLabelsWait ? log.status().lastFlushError : null };
    } catch (thrown) {
      return { labels: [], missing: toAppError(thrown).message };
    }
  }

  /** All or none: one unknown request refuses the batch. Durable on return. */
  async label(labels: readonly LabelInput[], actor: string): Promise<number> {
    const { clock, log } = this.#deps;
    const targets = await this.#resolve(labels);
    const [now, wall] = [clock.now(), clock.wall()];
    const journaled: readonly JournaledLabel[] = labels.map((label, index) => ({
      request_id: targets[index]!,
      endpoint: label.endpoint,
      value: label.value,
      at: label.at === undefined ? now : present(parseInstant(label.at), 'a parsed instant'),
      now,
      wall,
      actor,
    }));
    await log.appendLabels(journaled);
    return labels.length;
  }

  traffic(endpoint: string | null): readonly TrafficPoint[] {
    const { log, clock } = this.#deps;
    return log.traffic
      .recent(clock.now())
      .filter((second) => endpoint === null || second.endpoint === endpoint)
      .map((second) => ({ ...second, now: formatInstant(second.now) }));
  }

  /** What was flushed by now; the newest seconds are in `traffic`. */
  async trafficHistory(endpoint: string, query: TrafficQuery): Promise<TrafficHistory> {
    const { engine, clock } = this.#deps;
    await this.#assertEndpoint(endpoint);
    const stretches = stretchesOf(query, clock.now());
    const { from, until, everyMicros } = stretches;
    const options = { timeoutMs: HISTORY_WAIT_MS };
    const input = { endpoint, ...stretches };
    const { items, isCut } = await engine.run('predictions.traffic-history', input, options);
    return {
      endpoint,
      from: formatInstant(from),
      until: formatInstant(until),
      seconds: everyMicros / MICROS_PER_SECOND,
      items: items.map((item) => ({ ...item, from: formatInstant(item.from) })),
      isCut,
    };
  }

  logStatus(): LogStatus {
    return this.#deps.log.status();
  }

  async #assertEndpoint(name: string): Promise<void> {
    if (await this.#deps.isEndpoint(name)) return;
    throw new AppError('ENDPOINT_NOT_FOUND', `There is no endpoint ${name}.`, {
      hint: 'See the endpoints with: millwright endpoints ls',
    });
  }

  /** The request ids that labels address; the journal is flushed once before any is unknown. */
  async #resolve(labels: readonly LabelInput[]): Promise<readonly string[]> {
    for (const { requestId, key } of labels) {
      if ((requestId === undefined) !== (key === undefined)) continue;
      throw new AppError('INVALID_INPUT', 'A label needs either requestId or key, and not both.');
    }
    let found = await this.#lookUp(labels);
    if (found.includes(null)) {
      await within(ENGINE_WAIT_MS, this.#deps.log.flush());
      found = await this.#lookUp(labels);
    }
    return found.map((id, at) => {
      if (id !== null) return id;
      const { endpoint, requestId, key } = labels[at]!;
      const what = requestId === undefined ? `key ${key}` : `id ${requestId}`;
      throw this.#unknown(`${what} at endpoint ${endpoint}`);
    });
  }

  /** In slices with other work in between: a look-up hashes its key and reads the store. */
  async #lookUp(labels: readonly LabelInput[]): Promise<readonly (string | null)[]> {
    const found: (string | null)[] = [];
    for (let start = 0; start < labels.length; start += LOOK_UPS_PER_TURN) {
      await new Promise(setImmediate);
      found.push(...this.#lookUpNow(labels.slice(start, start + LOOK_UPS_PER_TURN)));
    }
    return found;
  }

  #lookUpNow(labels: readonly LabelInput[]): readonly (string | null)[] {
    const { log, index } = this.#deps;
    return labels.map(({ endpoint, requestId, key = '' }) => {
      // As the gateway keeps them.
      const kept = key.toWellFormed();
      const found =
        requestId !== undefined
          ? (log.unflushed.byRequestId(requestId) ?? index.byRequestId(requestId))
          : (log.unflushed.byKey(endpoint, kept) ?? index.byKey(endpoint, kept));
      return found !== null && found.endpoint === endpoint ? found.requestId : null;
    });
  }

  /** Nobody can say what is unknown while the journal holds records that no table takes. */
  #unknown(what: string): AppError {
    const { lastFlushError } = this.#deps.log.status();
    if (lastFlushError === null) return unknownRequest(what);
    return new AppError('ENGINE_UNAVAILABLE', `The request with ${what} may wait in the journal.`, {
      hint: `Records cannot be put into their tables: ${lastFlushError}`,
    });
  }

  async #stored(requestId: string): Promise<Prediction | null> {
    const { index, engine } = this.#deps;
    const found = index.byRequestId(requestId);
    if (found === null) return null;
    const stored = await engine.run('predictions.find', found);
    if (stored === null) return null;
    const { record, refused } = stored;
    return refused === null ? toPrediction(record, 'table') : toRefusedPrediction(record, refused);
  }

  /** Null for what was flushed meanwhile. */
  async #journaled(
    entries: readonly UnflushedEntry[],
  ): Promise<readonly ({ readonly seq: number; readonly prediction: Prediction } | null)[]> {
    const positions = entries.map(({ position }) => position);
    const payloads = await this.#deps.journal.readAll(positions);
    return payloads.map((payload, index) => {
      if (payload === null) return null;
      const record = JSON.parse(payload) as JournaledPrediction;
      return { seq: positions[index]!.seq, prediction: toPrediction(record, 'journal') };
    });
  }

  /** Null when the segment was flushed and removed meanwhile: then the table has it. */
  async #read(entry: UnflushedEntry): Promise<Prediction | null> {
    const payload = await this.#deps.journal.read(entry.position);
    if (payload === null) return null;
    const record = JSON.parse(payload) as JournaledPrediction;
    return toPrediction(record, 'journal');
  }
}

/** As many as fit into a page, the first in any case. */
function fittingEntries(entries: readonly UnflushedEntry[]): readonly UnflushedEntry[] {
  let chars = 0;
  const past = entries.findIndex(({ position }, index) => {
    chars += position.length;
    return index > 0 && chars > LIST_CHARS_MAX;
  });
  return past === -1 ? entries : entries.slice(0, past);
}

function unknownRequest(what: string): AppError {
  return new AppError('REQUEST_NOT_FOUND', `No answered request has ${what}.`, {
    hint: 'Ids are in the x-request-id header of the answer; keys are those the endpoint declares.',
  });
}

/** Rejects with `TIMED_OUT` when it takes longer; what was begun goes on. */
async function within(ms: number, done: Promise<void>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const giveUp = new AppError('TIMED_OUT', `The engine did not answer within ${ms} ms.`, {
      hint: 'GET /health tells how it is; records wait in the journal meanwhile.',
    });
    const cancel = after(ms, () => {
      reject(giveUp);
    });
    done.finally(cancel).then(resolve, reject);
  });
}
