import { describe, expect, it } from 'vitest';
import { present } from '../../base/assert.ts';
import { micros } from '../../base/time.ts';
import type { Fact } from '../../platform/capability.ts';
import { assess, RULES, type Assessment } from './assess.ts';
import { EVIDENCE_DAYS } from './contract.ts';
import { FactBook, type Known } from './facts.ts';
import { DAY, ENDPOINT, fact, NOW, PROJECTS } from './fixture-projects.ts';
import { productionOf } from './production.ts';

function assessed(facts: readonly Fact[], now = NOW): Assessment {
  const book = new FactBook(facts, { now, evidenceDays: EVIDENCE_DAYS });
  const of = { endpoint: ENDPOINT, model: ENDPOINT };
  return assess(present(productionOf(book, of), 'what is deployed'));
}

function check(found: Assessment, id: string) {
  return present(
    found.checks.find((one) => one.id === id),
    `the check ${id}`,
  );
}

function closed(): readonly Fact[] {
  return PROJECTS[3]!();
}

/** The project with one kind of fact, or one fact, made older. */
function aged(facts: readonly Fact[], isAged: (one: Fact) => boolean, days: number) {
  return facts.map((one) => (isAged(one) ? { ...one, at: micros(one.at - days * DAY) } : one));
}

describe('the level of a model', () => {
  it.each([0, 1, 2, 3])('is exactly %i for a project of that level', (level) => {
    const found = assessed(PROJECTS[level]!());
    const held = found.checks.filter(
      (one) =>
        one.level <= level &&
        one.need === 'required' &&
        one.state !== 'pass' &&
        one.state !== 'n/a',
    );
    expect(held.map(({ id, why }) => `${id}: ${why}`)).toEqual([]);
    expect(found.level).toBe(level);
    expect(found.isSeen).toBe(true);
    expect(found.next?.level ?? null).toBe(level === 3 ? null : level + 1);
  });

  it('has every check of the reference once, each with a sentence and a fix', () => {
    const ids = (letter: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
    const all = [...ids('A', 6), ...ids('B', 12), ...ids('C', 14), ...ids('D', 13)];
    expect(RULES.map(({ id }) => id)).toEqual(all);
    for (const project of PROJECTS) {
      for (const one of assessed(project()).checks) {
        expect(one.why, one.id).toMatch(/^\S.*\.$/);
        expect(one.fix.says, one.id).toMatch(/\.$/);
        if (one.state === 'pass') expect(one.evidence, one.id).not.toEqual([]);
        if (one.effort !== 'unavailable' && one.id !== 'C10') {
          expect(one.fix.command, one.id).toMatch(/^(?:millwright|git) /);
        }
      }
    }
  });

  it('falls and names the fix when one piece of evidence expires', () => {
    const isRollback = ({ data }: Fact) => typeof data['restores'] === 'number';
    const found = assessed(aged(closed(), isRollback, 75));
    expect(found.level).toBe(1);
    expect(check(found, 'C8')).toMatchObject({ state: 'unknown' });
    expect(check(found, 'C8').why).toContain('95 days ago');
    expect(found.next).toMatchObject({
      id: 'C8',
      fix: { command: 'millwright rollback late --drill' },
    });
  });

  it.each(['decision', 'attestation', 'pager_test', 'secrets_scan', 'instance'])(
    'is lower once every %s is older than evidence counts',
    (kind) => {
      const found = assessed(aged(closed(), (one) => one.kind === kind, EVIDENCE_DAYS));
      expect(found.level).toBeLessThan(3);
      const expired = found.checks.filter(({ state }) => state === 'unknown');
      expect(expired.map(({ why }) => why).join('\n')).toContain(
        `counts for ${EVIDENCE_DAYS} days`,
      );
    },
  );

  it('falls by time alone', () => {
    const found = assessed(closed(), micros(NOW + 80 * DAY));
    expect(found.level).toBeLessThan(3);
    expect(found.checks.some(({ state, level }) => state === 'unknown' && level === 3)).toBe(true);
  });

  it('does not count what is configured and was never exercised', () => {
    const configured = ['endpoint', 'monitor', 'loop'];
    const done = ['evaluation', 'decision', 'instance', 'labels', 'attestation', 'pager_test'];
    const found = assessed(closed().filter(({ kind }) => !done.includes(kind)));
    expect(closed().some(({ kind }) => configured.includes(kind))).toBe(true);
    for (const one of found.checks.filter(({ level }) => level === 3)) {
      expect(one.state, `${one.id}: ${one.why}`).not.toBe('pass');
    }
    expect(found.levels[3]).toMatchObject({ exercised: 0, checks: 13 });
  });

  it('is not held by a bonus', () => {
    const found = assessed(closed());
    expect(check(found, 'B12')).toMatchObject({ need: 'bonus', state: 'unknown' });
    expect(check(found, 'C10')).toMatchObject({ need: 'bonus', state: 'fail' });
    expect(found.level).toBe(3);
  });

  it('says when not even level 0 holds', () => {
    const found = assessed(closed().filter(({ kind }) => kind !== 'run'));
    expect(found).toMatchObject({ level: 0, isSeen: false });
    expect(found.next).toMatchObject({ level: 0, need: 'required' });
  });

  it('asks first for what is cheapest', () => {
    const found = assessed(PROJECTS[1]!());
    const open = found.checks.filter(
      (one) => one.level === 2 && one.need === 'required' && one.state !== 'pass',
    );
    expect(open.some(({ effort }) => effort === 'unavailable')).toBe(true);
    expect(found.next).toMatchObject({ id: 'C8', effort: 'minutes' });
  });

  it('sees answers of versions that nobody deployed', () => {
    const stray = fact('evaluation', 'eval_x', 1, {
      versions: [{ model: ENDPOINT, version: 9, requests: 5 }],
      loud: [],
      kinds: null,
    });
    const found = check(assessed([...closed(), stray]), 'A6');
    expect(found).toMatchObject({
      state: 'fail',
      evidence: [{ kind: 'evaluation', id: 'eval_x' }],
    });
  });

  it('does not take an overridden gate for one that passed', () => {
    const forced = closed().map((one) =>
      one.data['decision'] === 'gate_passed'
        ? { ...one, data: { ...one.data, decision: 'overridden', actor: 'cli:ada' } }
        : one,
    );
    const found = assessed(forced);
    expect(check(found, 'C5')).toMatchObject({ state: 'fail' });
    expect(check(found, 'C5').why).toContain('cli:ada');
    expect(check(found, 'D4')).toMatchObject({ state: 'fail' });
    expect(found.level).toBe(1);
  });

  it('asks for all of the run that made what answers, whatever became of it', () => {
    const bare = PROJECTS[0]!().map((one) =>
      one.kind === 'run'
        ? { ...one, data: { ...one.data, status: 'RUNNING', params: 0, data: [] } }
        : one,
    );
    const found = assessed(bare);
    expect(check(found, 'A2')).toMatchObject({ state: 'fail', evidence: [{ id: 'run_1' }] });
    expect(check(found, 'A3')).toMatchObject({ state: 'fail' });
  });

  it('leaves other runs alone that have nothing to show yet', () => {
    const started = fact('run', 'run_9', 1, {
      ...(PROJECTS[0]!().find(({ kind }) => kind === 'run')!.data as Known<'run'>['data']),
      status: 'RUNNING',
      params: 0,
    });
    expect(check(assessed([...PROJECTS[0]!(), started]), 'A2').state).toBe('pass');
  });

  it.each([
    [['age'], false],
    [['manual'], true],
  ])('does not take a retrain by %j for one that a monitor triggered', (causes, isManual) => {
    const other = closed().map((one) =>
      one.kind === 'instance' ? { ...one, data: { ...one.data, causes, isManual } } : one,
    );
    expect(check(assessed(other), 'D3')).toMatchObject({ state: 'fail' });
  });

  it('waits for the verdict while a loop rolls the version out', () => {
    const under = closed().map((one) =>
      one.kind === 'instance'
        ? { ...one, data: { ...one.data, state: 'rolling_out', deployedAt: null } }
        : one,
    );
    const found = assessed(under);
    expect([check(found, 'C7').state, check(found, 'D13').state]).toEqual(['unknown', 'unknown']);
  });

  it('knows nothing of what has not happened yet', () => {
    const later = closed().map((one) => ({ ...one, at: micros(one.at + 365 * DAY) }));
    const book = new FactBook(later, { now: NOW, evidenceDays: EVIDENCE_DAYS });
    expect(productionOf(book, { endpoint: ENDPOINT, model: ENDPOINT })).toBeNull();
  });
});
