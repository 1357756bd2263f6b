import { present } from '../../base/assert.ts';
import { decodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import { AppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import type { PageQuery } from '../../base/page.ts';
import { formatInstant, micros, parseInstant, type Clock } from '../../base/time.ts';
import type { Events } from '../../platform/events/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { Log } from '../../platform/log/log.ts';
import type { Timers } from '../../platform/timers/port.ts';
import { Admissions } from './admissions.ts';
import type { Decision, GuardProgress, Instance, Loop, LoopSpec, Why } from './contract.ts';
import { BREAKER_FAILURES } from './cooldown.ts';
import { evaluationSpan } from './evaluation-span.ts';
import { Follower } from './follower.ts';
import { guardProgress } from './guard-progress.ts';
import { InstanceDriver } from './instance-driver.ts';
import { compilePolicy } from './loop-policy.ts';
import { moment, sentence } from './phrases.ts';
import type { LoopPorts } from './ports.ts';
import { Recorder, type NewDecision } from './recorder.ts';
import { Situations, stopAt } from './situations.ts';
import type { LoopStore } from './store.ts';
import type { StoredInstance, StoredLoop } from './stored.ts';
import { UnitChanges } from './unit-changes.ts';
import { toDecision, toInstanceView } from './views.ts';
import { explain } from './why.ts';

export interface LoopDeps {
  readonly store: LoopStore;
  readonly ports: LoopPorts;
  readonly events: Pick<Events, 'step' | 'consume'>;
  readonly timers: Pick<Timers, 'schedule' | 'cancel' | 'handle'>;
  readonly clock: Clock & { readonly kind: 'live' | 'replay' };
  readonly ids: Ids;
  readonly faults: Faults;
  readonly log: Log;
}

/** The closed loop: from a monitor's finding to a promoted version, every step a decision. */
export class LoopService {
  readonly #deps: LoopDeps;
  readonly #recorder: Recorder;
  readonly #situations: Situations;
  readonly #admissions: Admissions;
  readonly #follower: Follower;

  constructor(deps: LoopDeps) {
    this.#deps = deps;
    const { ports, clock } = deps;
    const recorder = new Recorder(deps);
    const situations = new Situations(deps);
    const unitChanges = new UnitChanges(ports.exclusions);
    const admissions = new Admissions({ ...deps, recorder, situations, unitChanges });
    const driver = new InstanceDriver({ ...deps, recorder, isReplay: clock.kind === 'replay' });
    this.#recorder = recorder;
    this.#situations = situations;
    this.#admissions = admissions;
    this.#follower = new Follower({ ...deps, monitors: ports.monitors, admissions, driver });
  }

  /** Begins to hear and to act; call the result to stop. */
  start(): Promise<() => Promise<void>> {
    return this.#follower.start();
  }

  async declare(name: string, spec: LoopSpec, actor: string): Promise<void> {
    const { store, events } = this.#deps;
    const data = { policy: compilePolicy(name, spec).hash };
    const event = { actor, kind: 'loop.declared', subject: `loop/${name}`, data };
    await store.write([store.putLoop(name, spec), events.step(event)]);
  }

  /** Rejects with `LOOP_BUSY` while an instance is under way. */
  async remove(name: string, actor: string): Promise<void> {
    const { store, events } = this.#deps;
    await this.#requireIdle(name);
    const event = { actor, kind: 'loop.removed', subject: `loop/${name}`, data: {} };
    await store.write([store.removeLoop(name), events.step(event)]);
  }

  /** As declared, by name: what the plan compares with. */
  async declared(): Promise<ReadonlyMap<string, LoopSpec>> {
    const loops = await this.#deps.store.listLoops({ after: null, limit: DECLARED_MAX });
    return new Map(loops.map(({ name, spec }) => [name, spec]));
  }

  async isBusy(name: string): Promise<boolean> {
    return (await this.#deps.store.openInstance(name)) !== null;
  }

  async get(name: string): Promise<Loop> {
    return this.#view(await this.#deps.store.requireLoop(name));
  }

  async list(query: PageQuery): Promise<Page<Loop>> {
    const after = decodeCursor(query.cursor, 'string');
    const found = await this.#deps.store.listLoops({ after, limit: query.limit + 1 });
    const page = nextPage(found, query.limit, (last) => last.name);
    const items = await Promise.all(page.items.map((loop) => this.#view(loop)));
    return { items, nextCursor: page.nextCursor };
  }

  async decisions(
    name: string,
    query: PageQuery & { readonly instance?: string | undefined },
  ): Promise<Page<Decision>> {
    const before = decodeCursor(query.cursor, 'number');
    const { instance = null, limit } = query;
    const page = { before, instance, limit: limit + 1 };
    const found = await this.#deps.store.listDecisions(name, page);
    if (found.length === 0) await this.#deps.store.requireLoop(name);
    return nextPage(found.map(toDecision), limit, (last) => last.id);
  }

  /** Rejects with `DECISION_NOT_FOUND`. */
  async decision(name: string, id: number): Promise<Decision> {
    const found = await this.#deps.store.decision(name, id);
    if (found !== null) return toDecision(found);
    throw new AppError('DECISION_NOT_FOUND', `The loop ${name} has no decision ${id}.`, {
      hint: `See them with: millwright loop decisions ${name}`,
    });
  }

  async instances(name: string, query: PageQuery): Promise<Page<Instance>> {
    const before = decodeCursor(query.cursor, 'string');
    const page = { before, limit: query.limit + 1 };
    const found = await this.#deps.store.listInstances(name, page);
    if (found.length === 0) await this.#deps.store.requireLoop(name);
    return nextPage(found.map(toInstanceView), query.limit, (last) => last.id);
  }

  /** Why it did what it did, and why it does nothing now. */
  async why(name: string): Promise<Why> {
    const { store, ports, clock } = this.#deps;
    const loop = await store.requireLoop(name);
    const at = clock.now();
    const evaluation = await ports.monitors.latest(loop.spec.endpoint ?? name);
    const { quality } = loop.memory;
    const { policy, situation } = await this.#situations.at(loop, { at, evaluation, quality });
    const instance = await store.openInstance(name);
    const [last = null] = await store.listDecisions(name, {
      before: null,
      instance: null,
      limit: 1,
    });
    const facts = { at, policy, situation, evaluation, instance, last };
    return { loop: name, at: formatInstant(at), sentences: [...explain(facts)] };
  }

  async guard(name: string): Promise<GuardProgress | null> {
    return await guardProgress(this.#deps, name);
  }

  /** Asks for a training; answered with the decision, which may be a refusal with its reason. */
  async trigger(
    name: string,
    by: { readonly reason: string; readonly stage: string | null; readonly actor: string },
  ): Promise<Decision> {
    const { store, ports, clock } = this.#deps;
    const { reason, stage, actor } = by;
    const says = `asked for by ${actor}: ${reason.replace(/\.$/, '')}`;
    const cause = { kind: 'manual', says, doubt: null } as const;
    return this.#again(async () => {
      const loop = await store.requireLoop(name);
      const evaluation = await ports.monitors.latest(loop.spec.endpoint ?? name);
      const about = { at: clock.now(), actor, cause, stage, evaluation };
      const { steps } = await this.#admissions.onRequest(loop, about);
      await store.write(steps);
      return this.#newest(name);
    });
  }

  /** Puts a version before the gate that is there already. */
  async challenge(
    name: string,
    by: {
      readonly version: number;
      readonly reason: string;
      readonly override: string | null;
      readonly actor: string;
    },
  ): Promise<Decision> {
    const { store, ports, ids, clock } = this.#deps;
    const loop = await store.requireLoop(name);
    const at = clock.now();
    const { version, reason, override, actor } = by;
    assertRuns(loop, at);
    await this.#requireIdle(name);
    const { endpoint, holdoutDays } = compilePolicy(name, loop.spec);
    const release = await ports.releases.current(endpoint);
    if (release === null || release.version === version) {
      const what = release === null ? 'has nothing deployed' : `is served by v${version} already`;
      throw new AppError('INVALID_INPUT', `The endpoint ${endpoint} ${what}.`, {
        hint: 'A challenger needs another version as champion.',
      });
    }
    await ports.candidates.require(release.model, version);
    const matureMicros = await ports.requests.matureMicros(endpoint);
    const says = `put before the gate by ${actor}: ${reason}`;
    const instance: StoredInstance = {
      id: ids.next('li'),
      loop: name,
      state: 'evaluating',
      isManual: true,
      causes: [{ kind: 'manual', says, at: formatInstant(at) }],
      actor,
      startedAt: at,
      endedAt: null,
      model: release.model,
      champion: release.version,
      challenger: version,
      course: {
        stage: null,
        pipelineRun: null,
        evaluation: evaluationSpan({ at, matureMicros, holdoutDays }),
        routeRevision: release.revision,
        override: override === null ? null : { actor, reason: override },
        deployed: null,
        nextLook: at,
        waitsFor: null,
      },
      revision: 1,
    };
    const inputs = { version, release, override };
    const text = sentence(`v${version} challenges v${release.version}, ${says}`);
    const decision = { at, actor, inputs, reason: text, instance: instance.id };
    return this.#decide(loop, { kind: 'challenged', ...decision }, [
      store.insertInstance(instance),
    ]);
  }

  async stop(
    name: string,
    by: { readonly reason: string; readonly until: string | null; readonly actor: string },
  ): Promise<Decision> {
    const { store, clock } = this.#deps;
    const loop = await store.requireLoop(name);
    const at = clock.now();
    const { reason, actor } = by;
    const until = by.until === null ? null : present(parseInstant(by.until), 'a parsed instant');
    if (until !== null && until <= at) {
      throw new AppError('INVALID_INPUT', `${by.until} is not after ${formatInstant(at)}.`, {
        hint: 'A freeze ends in the future, by the clock of the workspace.',
      });
    }
    const stopped = { by: actor, reason, since: at, until };
    const what = until === null ? 'stopped' : `frozen until ${moment(until)}`;
    const text = sentence(`${what} by ${actor}: ${reason}`);
    const decision = { at, actor, inputs: { until: by.until }, reason: text, instance: null };
    return this.#decide(loop, { kind: 'stopped', ...decision }, [
      store.changeLoop(loop, { stopped }),
    ]);
  }

  async resume(
    name: string,
    by: { readonly reason: string; readonly actor: string },
  ): Promise<Decision> {
    const { store, clock } = this.#deps;
    const loop = await store.requireLoop(name);
    const at = clock.now();
    const { reason, actor } = by;
    const text = sentence(`resumed by ${actor}: ${reason}`);
    const inputs = { stopped: loop.stopped };
    const change = store.changeLoop(loop, { stopped: null, resumedAt: at });
    const decision = { at, actor, inputs, reason: text, instance: null };
    return this.#decide(loop, { kind: 'resumed', ...decision }, [change]);
  }

  /** Rejects with `NOTHING_TO_APPROVE` unless a version waits. */
  async approve(
    name: string,
    by: { readonly reason: string; readonly isDenied: boolean; readonly actor: string },
  ): Promise<Decision> {
    const { store, clock } = this.#deps;
    const loop = await store.requireLoop(name);
    const instance = await store.openInstance(name);
    if (instance?.state !== 'held') {
      throw new AppError('NOTHING_TO_APPROVE', `No version of ${name} waits for approval.`, {
        hint: `See what it does with: millwright loop why ${name}`,
      });
    }
    const at = clock.now();
    const { reason, isDenied, actor } = by;
    const { challenger, course } = instance;
    const inputs = { challenger, champion: instance.champion };
    if (isDenied) {
      const text = sentence(`v${challenger} is rejected by ${actor}: ${reason}`);
      const decision = { kind: 'rejected' as const, at, actor, inputs, reason: text };
      await this.#recorder.move(loop, instance, {
        change: { state: 'rejected', endedAt: at },
        decision,
      });
      return this.#newest(name);
    }
    assertRuns(loop, at);
    const text = sentence(`v${challenger} is approved by ${actor}: ${reason}`);
    await this.#recorder.move(loop, instance, {
      change: { state: 'rolling_out', course: { ...course, nextLook: at } },
      decision: { kind: 'approved', at, actor, inputs, reason: text },
    });
    return this.#newest(name);
  }

  /** Looks again when the loop has changed between reading and writing. */
  async #again<T>(action: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await action();
      } catch (thrown) {
        const isConflict = thrown instanceof AppError && thrown.code === 'CONFLICT';
        if (!isConflict || tries === CONFLICTS_MAX) throw thrown;
      }
    }
  }

  async #decide(
    loop: StoredLoop,
    decision: NewDecision,
    changes: Parameters<LoopStore['write']>[0],
  ): Promise<Decision> {
    await this.#deps.store.write([...changes, ...this.#recorder.steps(loop, decision)]);
    return this.#newest(loop.name);
  }

  async #newest(name: string): Promise<Decision> {
    const page = { before: null, instance: null, limit: 1 };
    const [row] = await this.#deps.store.listDecisions(name, page);
    return toDecision(present(row, 'the decision just made'));
  }

  async #requireIdle(name: string): Promise<void> {
    const open = await this.#deps.store.openInstance(name);
    if (open === null) return;
    throw new AppError('LOOP_BUSY', `${name} is under way (${open.state}).`, {
      hint: `Wait for its end; see: millwright loop why ${name}`,
    });
  }

  async #view(loop: StoredLoop): Promise<Loop> {
    const { store, ports, clock } = this.#deps;
    const { name, spec } = loop;
    const at = clock.now();
    const policy = compilePolicy(name, spec);
    const instance = await store.openInstance(name);
    const [last] = await store.listDecisions(name, { before: null, instance: null, limit: 1 });
    const stopped = stopAt(loop.stopped, at);
    const release = await ports.releases.current(policy.endpoint);
    const { cooldownUntil, retrains, failures } = await this.#situations.past(loop, policy, at);
    return {
      name,
      endpoint: policy.endpoint,
      spec,
      policy: policy.hash,
      stopped:
        stopped === null
          ? null
          : {
              ...stopped,
              since: formatInstant(stopped.since),
              until: stopped.until === null ? null : formatInstant(stopped.until),
            },
      champion:
        release === null
          ? null
          : {
              model: release.model,
              version: release.version,
              since: formatInstant(micros(release.since)),
            },
      instance: instance === null ? null : toInstanceView(instance),
      cooldownUntil: cooldownUntil === null ? null : formatInstant(cooldownUntil),
      retrains: { used: retrains, of: policy.budget.retrains, per: spec.budget.per },
      breaker: { failures, of: BREAKER_FAILURES },
      lastDecision: last === undefined ? null : toDecision(last),
    };
  }
}

/** A loop moves by itself a few times at most while somebody asks. */
const CONFLICTS_MAX = 5;
/** One for each model of a team. */
const DECLARED_MAX = 1000;

function assertRuns(loop: StoredLoop, at: Parameters<typeof stopAt>[1]): void {
  const stopped = stopAt(loop.stopped, at);
  if (stopped === null) return;
  throw new AppError('LOOP_STOPPED', `${loop.name} is stopped by ${stopped.by}.`, {
    hint: `Let it run again with: millwright loop resume ${loop.name} --reason WHY`,
  });
}
