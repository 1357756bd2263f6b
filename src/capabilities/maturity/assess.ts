import { assert } from '../../base/assert.ts';
import { CHECKS_L0 } from './checks-l0.ts';
import { CHECKS_L1 } from './checks-l1.ts';
import { CHECKS_L2 } from './checks-l2.ts';
import { CHECKS_L3 } from './checks-l3.ts';
import { LEVEL_MAX, type Check, type Effort, type LevelProgress } from './contract.ts';
import type { Production } from './production.ts';

/** Every check there is, in the order of the levels. */
export const RULES = [...CHECKS_L0, ...CHECKS_L1, ...CHECKS_L2, ...CHECKS_L3];

export interface Assessment {
  readonly level: number;
  readonly isSeen: boolean;
  readonly levels: readonly LevelProgress[];
  readonly next: Check | null;
  readonly checks: readonly Check[];
}

/** From the cheapest; what nobody can do yet comes last. */
const EFFORTS: readonly Effort[] = ['minutes', 'hours', 'days', 'unavailable'];

/** The level by the weakest link, and the one step to do next. */
export function assess(of: Production): Assessment {
  const checks = RULES.map((rule): Check => {
    const { id, level, need, title, effort } = rule;
    const [says, command] = rule.fix(of);
    const verdict = rule.judge(of);
    assert(verdict.why !== '', `the check ${id} says why`);
    const evidence = [...verdict.evidence];
    return { id, level, need, title, effort, ...verdict, evidence, fix: { says, command } };
  });
  const levels = Array.from({ length: LEVEL_MAX + 1 }, (_, level) => progress(checks, level));
  const open = levels.find(({ passed, required }) => passed < required);
  const isSeen = open?.level !== 0;
  return {
    level: Math.max(0, (open?.level ?? LEVEL_MAX + 1) - 1),
    isSeen,
    levels,
    next: open === undefined ? null : cheapest(checks, open.level),
    checks,
  };
}

function progress(all: readonly Check[], level: number): LevelProgress {
  const checks = all.filter((check) => check.level === level);
  const required = checks.filter(({ need }) => need === 'required');
  return {
    level,
    passed: required.filter(holds).length,
    required: required.length,
    exercised: checks.filter(({ state }) => state === 'pass').length,
    checks: checks.length,
  };
}

/** What does not apply stands in nobody's way. */
function holds({ state }: Check): boolean {
  return state === 'pass' || state === 'n/a';
}

function cheapest(all: readonly Check[], level: number): Check | null {
  const open = all.filter(
    (check) => check.level === level && check.need === 'required' && !holds(check),
  );
  const [first] = open.toSorted((a, b) => EFFORTS.indexOf(a.effort) - EFFORTS.indexOf(b.effort));
  return first ?? null;
}
