import { toAppError } from '../../base/errors.ts';
import type { Clock, Micros } from '../../base/time.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { Journal } from '../../platform/journal/journal.ts';
import { RecordKind } from '../../platform/journal/segment.ts';
import type { Log } from '../../platform/log/log.ts';
import { after, every } from '../../platform/system.ts';
import type { Events } from '../../platform/events/port.ts';
import type { FlushOutcome } from './flush.ts';
import { LogRoom, type Room } from './log-room.ts';
import { recordEvent } from './record-event.ts';
import { flushEvents } from './flush-events.ts';
import type { JournaledLabel, AnsweredRequest } from './record.ts';
import { encodePrediction } from './record.ts';
import type { PredictionTasks } from './tasks.ts';
import { Traffic } from './traffic.ts';
import { Unflushed } from './unflushed.ts';

/** Records become visible in their table within about this time (the promise is 10 s). */
const FLUSH_INTERVAL_MS = 5000;
const FLUSH_TIMEOUT_MS = 300_000;
/** Rebuilding the index of a large log takes long, and giving up would start it anew. */
const INDEX_TIMEOUT_MS = 24 * 3600 * 1000;
/** How long a stop waits for the last flush: an engine that hangs must not hold it for minutes. */
const CLOSE_WAIT_MS = 10_000;

/** Labels journaled in one turn of the event loop, which that holds for about a millisecond. */
const LABELS_PER_TURN = 200;

const NOTHING: FlushOutcome = {
  predictions: 0,
  labels: 0,
  refused: [],
  released: [],
  torn: [],
  failures: [],
};

export interface LogStatus {
  readonly answered: number;
  readonly journaled: number;
  readonly flushed: number;
  /** Records that their tables refused. */
  readonly quarantined: number;
  /** Requests and labels turned away because the journal is full. */
  readonly refused: number;
  /** In the journal, all segments together. */
  readonly unflushedBytes: number;
  readonly unflushedBytesMax: number;
  readonly segments: number;
  readonly room: Room;
  readonly lastFlushAt: Micros | null;
  readonly lastFlushError: string | null;
}

export interface PredictionLogDeps {
  readonly journal: Journal;
  readonly engine: Engine<PredictionTasks>;
  readonly clock: Clock;
  readonly events: Pick<Events, 'record'>;
  readonly log: Log;
}

/**
 * The prediction log's writing side: into the journal before the answer leaves, from there into the
 * tables by the engine. A record is in the journal, in its table, or (for a moment) in both.
 */
export class PredictionLog {
  readonly unflushed = new Unflushed();
  readonly traffic = new Traffic();
  readonly #deps: PredictionLogDeps;
  readonly #room: LogRoom;
  #refused = 0;
  #answered = 0;
  #journaled = 0;
  #flushed = 0;
  #quarantined = 0;
  #lastFlushAt: Micros | null = null;
  #lastFlushError: string | null = null;
  #flushing: Promise<void> | null = null;
  /** Counts appends of labels, the one that a former process may have left behind included. */
  #labelAppends = 1;
  #labelAppendsFlushed = 0;
  /** Settles when the request index is whole: nothing is unknown before that. */
  #index: Promise<void> | null = null;
  #stop: () => void = () => undefined;

  constructor(deps: PredictionLogDeps) {
    this.#deps = deps;
    this.#room = new LogRoom(deps);
  }

  start(): void {
    this.#stop = every(FLUSH_INTERVAL_MS, () => {
      this.flush().catch(() => undefined);
    });
    // What a killed process left behind is put where it belongs at once.
    this.flush().catch(() => undefined);
  }

  /** Flushes what there is; what cannot be flushed waits in the journal for the next start. */
  async close(): Promise<void> {
    this.#stop();
    await new Promise<void>((resolve) => {
      const cancel = after(CLOSE_WAIT_MS, resolve);
      const finish = (): void => {
        cancel();
        resolve();
      };
      this.flush().then(finish, finish);
    });
  }

  /**
   * Resolves once the record is safe against the death of this process, or with `sync` against a
   * power loss as well; only then may the answer leave.
   */
  async append(answered: AnsweredRequest, durability: 'async' | 'sync'): Promise<void> {
    const { journal } = this.#deps;
    const { requestId, endpoint, key } = answered;
    this.assertRoom();
    const position = await journal.append(RecordKind.prediction, encodePrediction(answered));
    this.#journaled += 1;
    // Before anything else is awaited: a flush may be about to release the record's segment.
    this.unflushed.add({ requestId, endpoint, position }, key);
    if (durability === 'sync') await journal.durable();
    this.#answered += 1;
    this.#room.look(this.#lastFlushError);
    this.traffic.count({
      now: answered.now,
      endpoint,
      modelVersion: answered.modelVersion,
      isError: answered.status >= 400,
      totalUs: answered.totalUs,
    });
  }

  /** Labels are few and precious: they are durable before they are acknowledged. */
  async appendLabels(labels: readonly JournaledLabel[]): Promise<void> {
    const { journal } = this.#deps;
    this.assertRoom();
    this.#labelAppends += 1;
    for (let start = 0; start < labels.length; start += LABELS_PER_TURN) {
      const slice = labels.slice(start, start + LABELS_PER_TURN);
      // They are written at the end of a turn of the event loop: other work gets in between.
      await Promise.all(
        slice.map((label) => journal.append(RecordKind.label, JSON.stringify(label))),
      );
    }
    await journal.durable();
  }

  get room(): Room {
    this.#room.look(this.#lastFlushError);
    return this.#room.state;
  }

  /** Throws `LOG_FULL` when the journal takes nothing more. */
  assertRoom(): void {
    try {
      this.#deps.journal.assertRoom();
    } catch (thrown) {
      this.#refused += 1;
      this.#room.look(this.#lastFlushError);
      throw thrown;
    }
  }

  /** Moves everything journaled before the call into the tables; joins a flush under way first. */
  async flush(): Promise<void> {
    if (this.#flushing !== null) await this.#flushing.catch(() => undefined);
    this.#flushing ??= this.#flushOnce().finally(() => {
      this.#flushing = null;
    });
    await this.#flushing;
  }

  /** Whether a label waits in the journal, or may. */
  get doLabelsWait(): boolean {
    return this.#labelAppendsFlushed < this.#labelAppends;
  }

  /** As `flush` when a label may wait in the journal; else there is nothing to do. */
  async flushLabels(): Promise<void> {
    if (this.doLabelsWait) await this.flush();
  }

  status(): LogStatus {
    const { journal } = this.#deps;
    return {
      answered: this.#answered,
      journaled: this.#journaled,
      flushed: this.#flushed,
      quarantined: this.#quarantined,
      refused: this.#refused,
      unflushedBytes: journal.bytes,
      unflushedBytesMax: journal.bytesMax,
      segments: journal.segments,
      room: this.room,
      lastFlushAt: this.#lastFlushAt,
      lastFlushError: this.#lastFlushError,
    };
  }

  async #makeIndexWhole(): Promise<void> {
    const { engine, log } = this.#deps;
    try {
      const { indexed } = await engine.run('predictions.index', null, {
        timeoutMs: INDEX_TIMEOUT_MS,
      });
      if (indexed > 0) log.info('predictions.index.rebuilt', { requests: indexed });
    } catch (thrown) {
      this.#index = null;
      throw thrown;
    }
  }

  async #flushOnce(): Promise<void> {
    const { journal, log } = this.#deps;
    try {
      await (this.#index ??= this.#makeIndexWhole());
      const labelAppends = this.#labelAppends;
      const segments = await journal.seal();
      const { failures } = segments.length === 0 ? NOTHING : await this.#flushSegments(segments);
      this.#lastFlushError = failures[0] ?? null;
      if (failures.length === 0) this.#labelAppendsFlushed = labelAppends;
      for (const failure of failures) log.error('predictions.flush.failed', { error: failure });
    } catch (thrown) {
      const error = toAppError(thrown);
      this.#lastFlushError = error.message;
      log.warn('predictions.flush.failed', { code: error.code, error: error.message });
      throw thrown;
    } finally {
      this.#room.look(this.#lastFlushError);
    }
  }

  async #flushSegments(segments: readonly string[]): Promise<FlushOutcome> {
    const { journal, engine, clock, log } = this.#deps;
    const start = clock.elapsed();
    const options = { timeoutMs: FLUSH_TIMEOUT_MS };
    const done = await engine.run('predictions.flush', { segments }, options);
    journal.release(done.released);
    this.unflushed.release(done.released);
    this.#flushed += done.predictions;
    this.#quarantined += done.refused.length;
    for (const event of flushEvents(done)) recordEvent(event, this.#deps);
    this.#lastFlushAt = clock.wall();
    log.debug('predictions.flushed', {
      predictions: done.predictions,
      labels: done.labels,
      duration_ms: Math.round(clock.elapsed() - start),
    });
    return done;
  }
}
