import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '../../src/base/errors.ts';
import { micros, type Clock, type Micros } from '../../src/base/time.ts';
import { LoopSpec, type Decision } from '../../src/capabilities/loop/contract.ts';
import type { EvaluationFacts, Finding } from '../../src/capabilities/loop/findings.ts';
import type { Comparison } from '../../src/capabilities/loop/gate.ts';
import type { LoopPorts, TrainingState } from '../../src/capabilities/loop/ports.ts';
import { LoopService } from '../../src/capabilities/loop/service.ts';
import { LoopStore } from '../../src/capabilities/loop/store.ts';
import { WorkspaceStore } from '../../src/capabilities/workspace/store.ts';
import { migrate } from '../../src/platform/db/migrator.ts';
import { migrations } from '../../src/platform/db/migrations/index.ts';
import { openSqlite } from '../../src/platform/db/sqlite.ts';
import { DomainClock } from '../../src/platform/domain-clock.ts';
import { createEvents } from '../../src/platform/events/events.ts';
import type { EventInput } from '../../src/platform/events/port.ts';
import type { Faults } from '../../src/platform/fault-points.ts';
import { silentLog } from '../../src/platform/log/log.ts';
import { createIds, sleep, systemClock } from '../../src/platform/system.ts';
import { createTimers } from '../../src/platform/timers/timers.ts';

/**
 * An outside world with a known course, for the loop to act on: what it monitors, trains and routes
 * to lies in one file, so that it outlives the process as the real one does.
 */

export const DAY = 86_400_000_000;
export const LAST_DAY = 60;
const HOUR = DAY / 24;
const MONITOR = 'world.monitor';
const REQUESTS_A_DAY = 2000;

export const LATE = LoopSpec.parse({
  pipeline: 'train',
  triggers: ['quality'],
  autonomy: 'full',
  min_rows: 1000,
});

/** What becomes of the versions, in the order in which they are trained. */
const FATES: Readonly<Record<number, 'good' | 'worse-live' | 'worse'>> = {
  2: 'good',
  3: 'worse-live',
  4: 'worse',
};

interface Outside {
  readonly revisions: { version: number; by: string; at: number }[];
  readonly runs: { key: string; version: number; trainUntil: number; isOver: boolean }[];
  readonly exclusions: { key: string; from: number; until: number | null; reason: string }[];
  champion: number;
  lastEvaluation: string | null;
}

class LoopWorld {
  readonly #file: string;
  readonly #now: () => Micros;
  #outside: Outside;

  constructor(folder: string, now: () => Micros) {
    this.#file = path.join(folder, 'outside.json');
    this.#now = now;
    this.#outside = existsSync(this.#file)
      ? (JSON.parse(readFileSync(this.#file, 'utf8')) as Outside)
      : {
          revisions: [{ version: 1, by: 'ann', at: 0 }],
          runs: [],
          exclusions: [],
          champion: 1,
          lastEvaluation: null,
        };
  }

  /** What is left of it at the end. */
  get outside(): Outside {
    return this.#outside;
  }

  evaluated(id: string): void {
    this.#change((outside) => {
      outside.lastEvaluation = id;
    });
  }

  /** The stage has come to its end. */
  finish(run: string): void {
    this.#change(({ runs }) => {
      runs.find(({ key }) => `prun/${key}` === run)!.isOver = true;
    });
  }

  ports(): LoopPorts {
    return {
      monitors: {
        evaluation: (_, id) => Promise.resolve(this.#evaluation(id)),
        latest: () => {
          const { lastEvaluation } = this.#outside;
          return Promise.resolve(lastEvaluation === null ? null : this.#evaluation(lastEvaluation));
        },
      },
      trainer: this.#trainer(),
      releases: this.#releases(),
      candidates: this.#candidates(),
      judge: {
        onRows: ({ challenger, level }) =>
          Promise.resolve(compared(3, FATES[challenger] === 'worse' ? -0.01 : 0.02, level)),
        onLog: ({ challenger, level, span }) => {
          const days = Math.ceil((span.until - span.from) / DAY);
          const better = FATES[challenger] === 'worse-live' ? -0.05 : 0.01;
          return Promise.resolve(compared(days, better, level));
        },
      },
      evaluationRows: { build: () => Promise.resolve(7) },
      requests: {
        matureMicros: () => Promise.resolve(12 * HOUR),
        labelled: ({ span }) => Promise.resolve(requestsIn(span)),
        answered: ({ span }) => Promise.resolve({ requests: requestsIn(span), errors: 0 }),
      },
      exclusions: this.#exclusions(),
    };
  }

  /** The first version's quality falls on day 9, the second's on day 24; then an input breaks. */
  #evaluation(id: string): EvaluationFacts {
    const day = Number(id.slice('eval_'.length));
    const { version } = this.#outside.revisions.at(-1)!;
    const isBad = (version === 1 && day >= 9) || (version === 2 && day >= 24);
    const value = isBad ? 0.7 : 0.75;
    const findings: Finding[] = [
      finding(isBad ? 'alert' : 'ok', {
        version,
        explanation: `AUC ${value}, was 0.75.`,
        numbers: { value, reference: 0.75, threshold: 0.02 },
      }),
    ];
    if (day === 25 || day === 26) {
      const about = { kind: 'unit_change', subject: 'distance', since: micros(24.25 * DAY) };
      findings.push(
        finding('alert', { ...about, explanation: 'distance ×1.61 for all airports.' }),
      );
    }
    return { id, at: micros(day * DAY), findings };
  }

  #trainer(): LoopPorts['trainer'] {
    const get = (run: string): Promise<TrainingState> => {
      const found = this.#outside.runs.find(({ key }) => `prun/${key}` === run);
      if (found === undefined) return Promise.resolve({ state: 'failed', error: 'unknown' });
      return Promise.resolve({ state: found.isOver ? 'succeeded' : 'running', error: null });
    };
    return {
      start: async ({ key, trainUntil }) => {
        const { runs } = this.#outside;
        if (!runs.some((run) => run.key === key)) {
          this.#change((outside) => {
            const version = outside.runs.length + 2;
            outside.runs.push({ key, version, trainUntil, isOver: false });
          });
        }
        await sleep(1);
        return `prun/${key}`;
      },
      get,
      ended: async (run, signal) => {
        await sleep(2, signal);
        this.finish(run);
        return get(run);
      },
    };
  }

  #releases(): LoopPorts['releases'] {
    const publish = (version: number, ifRevision: number): Promise<number> => {
      const current = this.#outside.revisions.length;
      if (current !== ifRevision) {
        return Promise.reject(new AppError('STALE_REVISION', `The route is at ${current}.`));
      }
      this.#change(({ revisions }) => {
        revisions.push({ version, by: 'loop', at: this.#now() });
      });
      return Promise.resolve(current + 1);
    };
    return {
      current: () => {
        const { revisions } = this.#outside;
        const { version, by, at } = revisions.at(-1)!;
        const since = micros(at);
        return Promise.resolve({ model: 'late', version, revision: revisions.length, by, since });
      },
      guardOf: () => Promise.resolve({ requests: 4000, forMicros: 2 * DAY }),
      deploy: ({ version, ifRevision }) => publish(version, ifRevision),
      rollback: ({ to, ifRevision }) =>
        publish(this.#outside.revisions[to - 1]!.version, ifRevision),
      promote: (_, version) => {
        this.#change((outside) => {
          outside.champion = version;
        });
        return Promise.resolve();
      },
    };
  }

  #candidates(): LoopPorts['candidates'] {
    const runOf = (version: number) => this.#outside.runs.find((run) => run.version === version);
    return {
      madeBy: ({ pipelineRun }) => {
        const run = this.#outside.runs.find(({ key }) => `prun/${key}` === pipelineRun);
        return Promise.resolve(run?.version ?? null);
      },
      require: () => Promise.resolve(),
      trainedOn: (_, version) =>
        Promise.resolve({
          trainingSet: { name: 'late_train', version },
          until: micros(runOf(version)?.trainUntil ?? 0),
          definition: 'abc',
        }),
      guardrails: () => Promise.resolve([]),
    };
  }

  #exclusions(): LoopPorts['exclusions'] {
    return {
      record: (window) => {
        const { key } = window;
        if (!this.#outside.exclusions.some((one) => one.key === key)) {
          this.#change(({ exclusions }) => {
            exclusions.push({ ...window });
          });
        }
        return Promise.resolve(key);
      },
      end: (id, until) => {
        this.#change(({ exclusions }) => {
          exclusions.find(({ key }) => key === id)!.until = until;
        });
        return Promise.resolve();
      },
      touching: ({ from, until }) => {
        const found = this.#outside.exclusions.filter(
          (one) => one.from < until && from < (one.until ?? Infinity),
        );
        return Promise.resolve(
          found.map((one) => ({
            ...one,
            from: micros(one.from),
            until: one.until === null ? null : micros(one.until),
          })),
        );
      },
    };
  }

  #change(how: (outside: Outside) => void): void {
    how(this.#outside);
    const temporary = `${this.#file}.new`;
    writeFileSync(temporary, JSON.stringify(this.#outside));
    renameSync(temporary, this.#file);
  }
}

function finding(state: Finding['state'], over: Partial<Finding>): Finding {
  const whole = { kind: 'quality', subject: '*', version: null, since: null, until: null };
  const isBreach = state === 'alert';
  return { ...whole, explanation: '', numbers: {}, isBreach, ...over, state };
}

function compared(blocks: number, value: number, level: number): Comparison {
  const figures = { auc: 0.75, logLoss: 0.43, meanScore: 0.2, missing: 0 };
  const rows = blocks * REQUESTS_A_DAY;
  const challenger = { ...figures, logLoss: figures.logLoss - value };
  const improvement = { value, lower: value - 0.005, upper: value + 0.005, level };
  return { rows, positives: rows / 5, blocks, champion: figures, challenger, improvement };
}

function requestsIn({ from, until }: { readonly from: Micros; readonly until: Micros }): number {
  return Math.floor(((until - from) / DAY) * REQUESTS_A_DAY);
}

/** A loop on that world in this process: real database, events, timers and domain clock. */
export async function openLoopWorld(folder: string, faults: Faults, machine: Clock | null = null) {
  const log = silentLog;
  const db = await openSqlite({ file: path.join(folder, 'metadata.db'), log });
  await migrate({ db, migrations, clock: systemClock, log });
  const workspace = new WorkspaceStore(db);
  const id = 'ws_1';
  const begun = { id, name: 'world', clock: 'replay' as const, wall: systemClock.wall() };
  const { now } = (await workspace.find()) ?? (await workspace.create(begun));
  // A machine's clock makes it a live workspace.
  const clock = new DomainClock(machine ?? systemClock, machine === null ? now : null);
  const ids = createIds(systemClock);
  const events = createEvents({ db, clock, log });
  const timers = createTimers({ db, clock, ids, events, settle: () => events.settled(), log });
  const world = new LoopWorld(folder, () => clock.now());
  const ports = world.ports();
  const store = new LoopStore(db);
  const loops = new LoopService({ store, ports, events, timers, clock, ids, faults, log });
  timers.handle(MONITOR, ({ due }) => {
    const evaluation = `eval_${due / DAY}`;
    world.evaluated(evaluation);
    return Promise.resolve([
      monitorAt(micros(due + DAY)),
      events.step({
        actor: 'monitor',
        kind: 'monitor.evaluated',
        subject: 'monitor/late',
        data: { evaluation },
      }),
    ]);
  });
  const monitorAt = (due: Micros) =>
    timers.schedule({ handler: MONITOR, subject: 'late', clock: 'now', due, payload: {} });
  if ((await loops.declared()).size === 0) {
    await loops.declare('late', LATE, 'test');
    await db.write([monitorAt(micros(DAY))]);
  }
  const stopLoops = await loops.start();
  const moveTo = async (at: Micros): Promise<void> => {
    await workspace.setNow(at);
    clock.move(at);
  };
  return {
    loops,
    world,
    clock,
    advance: async (to: Micros): Promise<void> => {
      await timers.fireUntil(to, moveTo);
      await moveTo(to);
    },
    settled: () => events.settled(),
    /** Fires what is due on a live clock. */
    fire: () => timers.fireDue(),
    record: (event: EventInput) => events.record(event),
    close: async (): Promise<void> => {
      await stopLoops();
      await timers.stop();
      await events.close();
      await db.close();
    },
  };
}

export type OpenLoopWorld = Awaited<ReturnType<typeof openLoopWorld>>;

/** The decision log without what differs from run to run: ids and the machine's time. */
export async function decisionLog({ loops }: OpenLoopWorld): Promise<readonly string[]> {
  const { items } = await loops.decisions('late', { limit: 1000 });
  return items.toReversed().map(({ at, kind, reason, policy }: Decision) => {
    return `${at} ${kind} ${policy} ${reason}`;
  });
}
