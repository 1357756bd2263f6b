import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyReport, type QuickstartReport } from './quickstart-report.ts';
import { reportLines } from './report-table.ts';

const FOLDER = 'millwright-quickstart';
const SAME = { auc: 0.75, logloss: 0.43 };

function weeksOf(length: number): QuickstartReport['weeks'] {
  return Array.from({ length }, (_, index) => ({
    from: `2001-03-${String(index + 1).padStart(2, '0')}T00:00:00Z`,
    static: SAME,
    loop: { auc: 0.7561, logloss: 0.4344 },
  }));
}

function report(change: Partial<QuickstartReport> = {}): QuickstartReport {
  return {
    ...emptyReport(),
    requests: 208_123,
    answered: 208_123,
    logged: 208_123,
    labelled: 207_998,
    recomputed: 208_123,
    versions: [
      { version: 1, requests: 150_000 },
      { version: 2, requests: 58_123 },
    ],
    decisions: ['admitted', 'promoted', 'admitted', 'rolled_back'].map((kind) => {
      return { at: '2001-05-01T00:00:00Z', kind, reason: '' };
    }),
    static: SAME,
    loop: { auc: 0.7561, logloss: 0.4344 },
    weeks: weeksOf(3),
    level: 1,
    checks: [
      { id: 'C1', state: 'pass' },
      { id: 'D1', state: 'pass' },
      { id: 'D2', state: 'fail' },
    ],
    ...change,
  };
}

function text(of: QuickstartReport): string {
  return reportLines(of, FOLDER).join('\n');
}

describe('the closing lines', () => {
  it('compare, week by week, and say which is better', () => {
    const told = text(report());
    expect(told).toMatch(/^static February model +AUC 0\.7500 +log-loss 0\.4300$/m);
    expect(told).toMatch(
      /^with the loop +AUC 0\.7561 .*\+0\.0061 \(better\), \+0\.0044 \(worse\)$/m,
    );
    expect(told).toMatch(
      /^ {2}2001-03-02 +0\.7500 +0\.7561 +\+0\.0061 +0\.4300 +0\.4344 +\+0\.0044$/m,
    );
  });

  it('align the weeks', () => {
    const lines = reportLines(report(), FOLDER).filter((line) => /^ {2}(?:week|2001)/.test(line));
    expect(lines).toHaveLength(4);
    expect(new Set(lines.map(({ length }) => length)).size).toBe(1);
  });

  it('count what adds up', () => {
    expect(text(report())).toContain(
      'requests 208,123 = answered 208,123 = logged 208,123 = recomputed 208,123 · mismatches 0\n' +
        '  · labelled 207,998\n',
    );
    expect(text(report())).not.toContain('ADD UP');
  });

  it('say loudly what does not', () => {
    const told = text(report({ logged: 208_120, mismatches: 2 }));
    expect(told).toContain('≠ logged 208,120 ≠ recomputed 208,123 · mismatches 2');
    expect(told).toContain('DOES NOT ADD UP: answers not in the log 3;');
  });

  it('name versions, decisions, level and where the report lies', () => {
    const told = text(report());
    expect(told).toContain('served by v1 72.1 %, v2 27.9 %');
    expect(told).toContain('4 decisions: admitted 2, promoted 1, rolled back 1 · 0 staged faults');
    expect(told).toContain('level 1 · level-3 checks exercised: 1 of 2');
    expect(told).toContain(`report: ${path.join(FOLDER, 'report.html')}`);
  });

  it('say so where there are no labels', () => {
    const nothing = { auc: null, logloss: null };
    const weeks = [{ from: '2001-03-01T00:00:00Z', static: nothing, loop: nothing }];
    const told = text(report({ weeks, static: nothing, loop: nothing }));
    expect(told).toMatch(/^ {2}2001-03-01 +no labels of both outcomes$/m);
    expect(told).toMatch(/^with the loop +AUC – +log-loss – +no labels of both outcomes$/m);
  });

  it('take few lines for many weeks', () => {
    expect(text(report({ weeks: weeksOf(18) }))).not.toContain('more week');
    const lines = reportLines(report({ weeks: weeksOf(30) }), FOLDER);
    expect(lines.filter((line) => line.startsWith('  2001'))).toHaveLength(17);
    expect(lines).toContain('  and 13 more weeks');
  });

  it('stay within a hundred columns, whatever they are told', () => {
    const many = Array.from({ length: 60 }, (_, index) => index);
    const lines = reportLines(
      report({
        requests: 123_456_789_012_345,
        answered: 98_765_432_109_876,
        mismatches: 123_456_789_012_345,
        versions: many.map((version) => ({ version, requests: 1000 + version })),
        decisions: many.map((at) => ({
          at: '2001-05-01T00:00:00Z',
          kind: 'k'.repeat(at * 3),
          reason: '',
        })),
      }),
      FOLDER,
    );
    expect(lines.filter(({ length }) => length > 100)).toEqual([]);
    expect(lines.join(' ')).toContain('v59');
  });

  it('tell of a replay that did not begin', () => {
    expect(reportLines(emptyReport(), FOLDER)).toEqual([
      'static February model   AUC –        log-loss –',
      'with the loop           AUC –        log-loss –        no labels of both outcomes',
      '',
      'requests 0 = answered 0 = logged 0 = recomputed 0 · mismatches 0 · labelled 0',
      '0 decisions · 0 staged faults',
      'level not computed · level-3 checks exercised: 0 of 0',
      `report: ${path.join(FOLDER, 'report.html')}`,
    ]);
  });
});
