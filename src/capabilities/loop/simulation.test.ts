import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { studentQuantile } from '../../base/stats/student-t.ts';
import { logLoss } from '../../base/stats/log-loss.ts';
import { drawNormal, seededRandom, type Random } from '../../base/stats/seeded-random.ts';
import { micros, type Micros } from '../../base/time.ts';
import { admit } from './admission.ts';
import { LoopSpec, type DecisionKind } from './contract.ts';
import { pastOf, type EndedInstance } from './cooldown.ts';
import { follow, type Episodes } from './episodes.ts';
import { evaluationSpan, overlaps, type TimeSpan } from './evaluation-span.ts';
import {
  causesOf,
  incidentsOf,
  NO_QUALITY,
  qualityAfter,
  type EvaluationFacts,
  type Finding,
} from './findings.ts';
import { judgeGate, type Comparison } from './gate.ts';
import { GUARD_EARLY_LEVEL, judgeGuard } from './guard.ts';
import { compilePolicy, type LoopPolicy } from './loop-policy.ts';

/**
 * The rules against streams whose truth is known: days with a shared effect, labels that mature
 * after 12 hours, and models that know the days they were trained on. The loop sees what a monitor
 * and a comparison would tell it, never the truth.
 */

const HOUR = 3_600_000_000;
const DAY = 24 * HOUR;
const MATURE = 12 * HOUR;
const ROWS_A_DAY = 2000;
/** Of the daily AUC around its mean, for all versions alike; and of one version against another. */
const DAY_EFFECT = 0.008;
const PAIR_EFFECT = 0.004;
const TRAINING_DAYS = 31;
const FIRST_DAYS = 7;

interface World {
  readonly seed: number;
  /** What maps inputs to labels on a day; a model is as good as it knows that day's. */
  readonly conceptOf: (day: number) => string;
  /** Days on which an input comes in another unit. */
  readonly isBroken?: (day: number) => boolean;
  /** Share of inputs that drift on a day without any change of the concept. */
  readonly isDrifting?: (day: number) => boolean;
}

interface Version {
  readonly number: number;
  /** Share of its training days by concept. */
  readonly knows: ReadonlyMap<string, number>;
  readonly until: Micros;
}

interface Said {
  readonly day: number;
  readonly kind: DecisionKind | 'excluded';
  readonly reason: string;
}

type FindingOf = (
  kind: string,
  state: Finding['state'],
  explanation?: string,
  numbers?: Finding['numbers'],
) => Finding;

/** Runs the rules over days, as the service does over events and timers. */
class SimulatedLoop {
  readonly decisions: Said[] = [];
  readonly aucs: number[] = [];
  readonly #world: World;
  readonly #policy: LoopPolicy;
  readonly #versions: Version[] = [];
  readonly #released: { version: number; since: Micros }[] = [];
  readonly #ended: EndedInstance[] = [];
  readonly #breaches: boolean[] = [];
  readonly #windows: { from: Micros; until: Micros | null; reason: string }[] = [];
  #episodes: Episodes = {};
  #remembered = NO_QUALITY;
  #guarding: { since: Micros; former: number; startedAt: Micros } | null = null;

  constructor(world: World, spec: object = {}) {
    this.#world = world;
    const whole = { pipeline: 'train', triggers: ['quality', 'drift'], autonomy: 'full', ...spec };
    this.#policy = compilePolicy('late', LoopSpec.parse(whole));
    this.#train(micros(0));
    this.#released.push({ version: 1, since: micros(0) });
  }

  run(days: number): this {
    for (let day = 1; day <= days; day += 1) this.#day(day);
    return this;
  }

  kinds(): readonly string[] {
    return this.decisions.map(({ kind }) => kind);
  }

  versionOn(day: number): Version {
    const release = this.#released.findLast(({ since }) => since <= day * DAY)!;
    return this.#versions[release.version - 1]!;
  }

  #day(day: number): void {
    const at = micros(day * DAY);
    this.aucs.push(this.#auc(this.versionOn(day - 1), day - 1));
    this.#exclude(day);
    if (this.#guarding !== null) this.#guard(at);
    this.#decide(day, this.#evaluation(day));
  }

  /** The window follows what the monitor of the day before has found. */
  #exclude(day: number): void {
    const at = micros(day * DAY);
    const isBroken = this.#world.isBroken?.(day - 1) === true;
    const open = this.#windows.find(({ until }) => until === null);
    if (isBroken && open === undefined) {
      this.#windows.push({ from: micros(at - DAY), until: null, reason: 'distance ×1.61' });
      this.#say(day, 'excluded', 'distance ×1.61');
    }
    if (!isBroken && open !== undefined) open.until = micros(at - DAY);
  }

  #evaluation(day: number): EvaluationFacts {
    const version = this.versionOn(day - 1).number;
    const since = Math.ceil(this.#released.at(-1)!.since / DAY);
    const newest = Math.floor((day * DAY - MATURE) / DAY);
    const days = (from: number, until: number) =>
      Array.from({ length: until - from }, (_, index) =>
        this.#auc(this.versionOn(from + index), from + index),
      );
    const of: FindingOf = (kind, state, explanation = '', numbers = {}) => ({
      kind,
      subject: '*',
      version,
      state,
      isBreach: state === 'alert',
      since: null,
      until: null,
      explanation,
      numbers,
    });
    const findings = [this.#quality(days, since, newest, of)];
    if (this.#world.isDrifting?.(day - 1) === true) {
      findings.push(of('drift', 'alert'), of('score_drift', 'alert'));
    }
    if (this.#world.isBroken?.(day - 1) === true) findings.push(of('unit_change', 'alert', 'km'));
    return { id: `eval_${day}`, at: micros(day * DAY), findings };
  }

  /** The newest week against the version's first one: 3 of 5 days beyond, or fine. */
  #quality(
    days: (from: number, until: number) => readonly number[],
    since: number,
    newest: number,
    of: FindingOf,
  ): Finding {
    if (newest - since < 2 * FIRST_DAYS) {
      this.#breaches.length = 0;
      return of('quality', 'too_few_labels');
    }
    const reference = bounds(days(since, since + FIRST_DAYS), 0.95);
    const current = bounds(days(newest - FIRST_DAYS, newest), 0.95);
    const drop = reference.value - current.value;
    const reach = Math.hypot(reference.upper - reference.value, current.upper - current.value);
    this.#breaches.push(drop >= 0.02 && drop - reach > 0);
    const breaches = this.#breaches.slice(-5).filter(Boolean).length;
    const words = `AUC ${current.value.toFixed(3)}, was ${reference.value.toFixed(3)}`;
    const numbers = { value: current.value, reference: reference.value, threshold: 0.02 };
    if (breaches >= 3) return of('quality', 'alert', words, numbers);
    return of('quality', breaches > 0 ? 'warn' : 'ok', words, numbers);
  }

  #decide(day: number, evaluation: EvaluationFacts): void {
    const at = evaluation.at;
    const { version, since } = this.#released.at(-1)!;
    const release = { model: 'late', version, revision: version, by: 'loop', since };
    const maturedRows = Math.max(0, Math.floor((at - MATURE - since) / DAY)) * ROWS_A_DAY;
    this.#remembered = qualityAfter(this.#remembered, evaluation, version);
    const quality = this.#remembered;
    const causes = causesOf(this.#policy, { at, evaluation, release, maturedRows, quality });
    const span = evaluationSpan({
      at,
      matureMicros: MATURE,
      holdoutDays: this.#policy.holdoutDays,
    });
    const open = this.#guarding;
    const answer = admit(this.#policy, {
      at,
      causes,
      release,
      stopped: null,
      open:
        open === null
          ? null
          : {
              id: 'open',
              state: 'guarding',
              startedAt: open.startedAt,
              causes: ['quality', 'drift'],
            },
      past: pastOf(this.#policy, at, this.#ended, null),
      maturedRows,
      evaluation: span,
      exclusions: this.#windows.filter((window) => overlaps(span, window)),
      incidents: incidentsOf(evaluation),
    });
    if (answer === null) return;
    const reason = answer.kind === 'suppressed' ? answer.by : null;
    const kinds = causes.map(({ kind }) => kind);
    const followed = follow(this.#episodes, { at, causes: kinds, reason });
    this.#episodes = followed.episodes;
    if (followed.isNews) this.#say(day, answer.kind, answer.reason);
    if (answer.kind === 'admitted') this.#retrain(day, span);
  }

  #retrain(day: number, span: TimeSpan): void {
    const at = micros(day * DAY);
    const champion = this.versionOn(day);
    const challenger = this.#train(span.from);
    const trained = (version: Version) => ({
      trainingSet: { name: 'late_train', version: version.number },
      until: version.until,
      definition: null,
    });
    const verdict = judgeGate(this.#policy, {
      champion: champion.number,
      challenger: challenger.number,
      evaluation: span,
      trained: { champion: trained(champion), challenger: trained(challenger) },
      comparison: this.#compare(champion, challenger, span, this.#policy.level),
      why: null,
      guardrails: [],
    });
    this.#say(day, verdict.isPassed ? 'gate_passed' : 'rejected', verdict.reason);
    if (!verdict.isPassed) return this.#end('rejected', at, at);
    const deployedAt = micros(at + 2 * HOUR);
    this.#released.push({ version: challenger.number, since: deployedAt });
    this.#guarding = { since: deployedAt, former: champion.number, startedAt: at };
  }

  #guard(at: Micros): void {
    const { since, former, startedAt } = this.#guarding!;
    const champion = this.#versions[former - 1]!;
    const challenger = this.versionOn(at / DAY);
    const span = { from: since, until: micros(at - MATURE) };
    const verdict = judgeGuard(this.#policy, {
      at,
      deployedAt: since,
      champion: former,
      challenger: challenger.number,
      limits: { requests: 4000, forMicros: 2 * DAY },
      isOverridden: false,
      requests: Math.floor(((at - since) / DAY) * ROWS_A_DAY),
      errors: 0,
      former: { requests: ROWS_A_DAY, errors: 0 },
      comparison: this.#compare(champion, challenger, span, this.#policy.level),
      early: this.#compare(champion, challenger, span, GUARD_EARLY_LEVEL),
      why: null,
    });
    if (verdict.kind === 'wait') return;
    this.#say(at / DAY, verdict.kind, verdict.reason);
    if (verdict.kind === 'rolled_back') this.#released.push({ version: former, since: at });
    this.#guarding = null;
    this.#end(verdict.kind, startedAt, at);
  }

  #end(outcome: EndedInstance['outcome'], startedAt: Micros, endedAt: Micros): void {
    const id = `loop_${this.#ended.length}`;
    const flags = { isManual: false, isTraining: true };
    this.#ended.unshift({ id, outcome, startedAt, endedAt, ...flags });
  }

  /** Learns the month before `until` but for what is excluded. */
  #train(until: Micros): Version {
    const knows = new Map<string, number>();
    const last = Math.floor(until / DAY);
    for (let day = last - TRAINING_DAYS; day < last; day += 1) {
      const whole = { from: micros(day * DAY), until: micros((day + 1) * DAY) };
      if (this.#windows.some((window) => overlaps(whole, window))) continue;
      const concept = this.#learnt(day);
      knows.set(concept, (knows.get(concept) ?? 0) + 1);
    }
    const days = [...knows.values()].reduce((sum, one) => sum + one, 0);
    for (const [concept, count] of knows) knows.set(concept, count / days);
    const version = { number: this.#versions.length + 1, knows, until };
    this.#versions.push(version);
    return version;
  }

  #learnt(day: number): string {
    return this.#world.isBroken?.(day) === true ? 'broken' : this.#world.conceptOf(day);
  }

  #auc(version: Version, day: number): number {
    const shared = DAY_EFFECT * drawNormal(this.#random('day', day));
    const own = PAIR_EFFECT * drawNormal(this.#random(`v${version.number}`, day));
    const known = version.knows.get(this.#world.conceptOf(day)) ?? 0;
    const harm = version.knows.get('broken') ?? 0;
    return 0.75 + shared + own - 0.1 * (1 - known - harm) - 0.2 * harm;
  }

  #compare(
    champion: Version,
    challenger: Version,
    span: TimeSpan,
    level: number,
  ): Comparison | null {
    const days: number[] = [];
    for (let day = Math.floor(span.from / DAY); day * DAY < span.until; day += 1) days.push(day);
    if (days.length === 0) return null;
    const differences = days.map((day) => this.#auc(challenger, day) - this.#auc(champion, day));
    const figures = { auc: 0.75, logLoss: 0.4, meanScore: 0.2, missing: 0 };
    const improvement = days.length < 2 ? null : bounds(differences, level);
    const rows = days.length * ROWS_A_DAY;
    return {
      rows,
      positives: rows / 5,
      blocks: days.length,
      champion: figures,
      challenger: figures,
      improvement,
    };
  }

  #random(name: string, day: number): Random {
    return seededRandom(`${this.#world.seed}/${name}/${day}`);
  }

  #say(day: number, kind: Said['kind'], reason: string): void {
    this.decisions.push({ day, kind, reason });
  }
}

/** The mean over days with one-sided bounds at the level. */
function bounds(values: readonly number[], level: number) {
  const days = values.length;
  const value = values.reduce((sum, one) => sum + one, 0) / days;
  const variance = values.reduce((sum, one) => sum + (one - value) ** 2, 0) / (days - 1);
  const reach = Math.sqrt(variance / days) * studentQuantile(level, days - 1);
  return { value, lower: value - reach, upper: value + reach, level };
}

const SEEDS = Array.from({ length: 100 }, (_, index) => index + 1);
const steady = () => 'a';

describe('60 days', () => {
  test('without drift raise no retrain in 100 seeds', () => {
    for (const seed of SEEDS) {
      const loop = new SimulatedLoop({ seed, conceptOf: steady }).run(60);
      expect(loop.decisions, `seed ${seed}`).toEqual([]);
    }
  });

  test('of inputs that move with the season raise none, and say so once an episode', () => {
    for (const seed of SEEDS) {
      const isDrifting = (day: number) => day > 20;
      const loop = new SimulatedLoop({ seed, conceptOf: steady, isDrifting }).run(60);
      expect(loop.kinds(), `seed ${seed}`).toEqual(['suppressed']);
      expect(loop.decisions[0]?.reason).toContain('inputs moved, quality did not');
    }
  });
});

describe('labels that flip', () => {
  test('are found, learnt as soon as the gate can tell, and the quality comes back', () => {
    let repaired = 0;
    for (const seed of SEEDS) {
      const conceptOf = (day: number) => (day < 30 ? 'a' : 'b');
      const loop = new SimulatedLoop({ seed, conceptOf }, { cooldown: '3d' }).run(120);
      const first = loop.decisions.find(({ kind }) => kind === 'admitted')!;
      expect(first.day, `seed ${seed}`).toBeGreaterThan(30);
      expect(first.day, `seed ${seed}`).toBeLessThan(50);
      const end = loop.aucs.slice(-14).reduce((sum, one) => sum + one, 0) / 14;
      if (end > 0.72 && loop.kinds().includes('promoted')) repaired += 1;
    }
    expect(repaired).toBeGreaterThanOrEqual(95);
  });
});

describe('a contaminated weekend', () => {
  test('is excluded, begins nothing, and no version learns it', () => {
    for (const seed of SEEDS.slice(0, 30)) {
      const conceptOf = (day: number) => (day < 40 ? 'a' : 'b');
      const isBroken = (day: number) => day === 26 || day === 27;
      const isDrifting = isBroken;
      const world = { seed, conceptOf, isBroken, isDrifting };
      const loop = new SimulatedLoop(world, { cooldown: '3d' }).run(90);
      const [excluded, suppressed] = loop.decisions;
      expect([excluded?.kind, suppressed?.kind], `seed ${seed}`).toEqual([
        'excluded',
        'suppressed',
      ]);
      expect(suppressed?.reason).toContain('upstream incident');
      expect(loop.kinds().filter((kind) => kind === 'excluded')).toHaveLength(1);
      const learnt = Array.from({ length: 90 }, (_, day) =>
        loop.versionOn(day).knows.get('broken'),
      );
      expect(learnt.every((share) => share === undefined)).toBe(true);
    }
  });
});

describe('a storm of triggers', () => {
  test('makes one instance at a time, and each cause joins it once', () => {
    const conceptOf = (day: number) => (day < 30 ? 'a' : 'b');
    const isDrifting = (day: number) => day >= 30;
    const loop = new SimulatedLoop({ seed: 7, conceptOf, isDrifting }).run(120);
    let open = 0;
    for (const { kind } of loop.decisions) {
      if (kind === 'admitted') open += 1;
      if (kind === 'rejected' || kind === 'promoted' || kind === 'rolled_back') open -= 1;
      expect(open).toBeLessThanOrEqual(1);
    }
    expect(loop.kinds().filter((kind) => kind === 'admitted').length).toBeGreaterThan(0);
  });
});

describe('the same days', () => {
  test('give the same decisions, however many are walked at a time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 5, max: 60 }),
        fc.boolean(),
        (seed, flip, drifts) => {
          const conceptOf = (day: number) => (day < flip ? 'a' : 'b');
          const world = { seed, conceptOf, isDrifting: () => drifts };
          const once = new SimulatedLoop(world).run(80).decisions;
          expect(new SimulatedLoop(world).run(80).decisions).toEqual(once);
          const shorter = new SimulatedLoop(world).run(40).decisions;
          expect(once.slice(0, shorter.length)).toEqual(shorter);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('labels that come sooner for one class', () => {
  const RATE = 0.2;
  const random = seededRandom('sooner');
  // Who is on time is known after an hour, who is late after twenty.
  const rows = Array.from({ length: 12_000 }, (_, index) => {
    const label = random() < RATE ? 1 : 0;
    const answered = (index / 12_000) * 4 * DAY;
    return { label, answered, known: answered + (label === 1 ? 20 * HOUR : HOUR) };
  });
  const at = micros(4 * DAY);
  // One knows the rate; the other was fitted to labels that had arrived within an hour or two.
  const champion = RATE;
  const challenger = 0.02;

  const blocksOf = (kept: typeof rows) =>
    [...Map.groupBy(kept, ({ answered }) => Math.floor(answered / DAY)).values()].map((day) => ({
      labels: Uint8Array.from(day, ({ label }) => label),
    }));
  const lossOf = (score: number) => (block: ReturnType<typeof blocksOf>[number]) =>
    logLoss({ scores: Float64Array.from(block.labels, () => score), labels: block.labels })!;

  test('do not fool the gate, which judges on whole matured days', () => {
    const span = evaluationSpan({ at, matureMicros: DAY, holdoutDays: 3 });
    const complete = rows.filter(({ answered }) => answered >= span.from && answered < span.until);
    const blocks = blocksOf(complete);
    expect(blocks).toHaveLength(3);
    const improvement = blocks.map((day) => lossOf(champion)(day) - lossOf(challenger)(day));
    expect(bounds(improvement, 0.95).upper).toBeLessThan(0);
  });

  test('would fool one that judges on the labels that have arrived', () => {
    const recent = rows.filter(({ answered, known }) => answered > at - 20 * HOUR && known <= at);
    const [block] = blocksOf(recent.map((row) => ({ ...row, answered: at })));
    expect(lossOf(challenger)(block!)).toBeLessThan(lossOf(champion)(block!));
  });
});
