import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../scripts/run.ts';
import { BUDGETS, budgetOf } from './budgets.ts';
import { PROGRAMS } from './programs.ts';
import { budgetTable, keptResults, reports } from './report-text.ts';
import type { BenchResult } from './result.ts';

test('documents show what bench/results holds (`node bench/report.ts` writes them)', async () => {
  for (const { file, text } of await reports()) {
    expect(readFileSync(file, 'utf8'), relative(ROOT, file)).toBe(text);
  }
});

test('a kept result tells no other limits than those that are listed', () => {
  for (const { name, budgets } of keptResults().values()) {
    for (const { what, limit } of budgets) {
      expect(BUDGETS).toContainEqual({ program: name, what, limit });
    }
  }
});

test('every program that holds a limit exists and is described', () => {
  const readme = readFileSync(join(ROOT, 'bench', 'README.md'), 'utf8');
  for (const { program } of BUDGETS) if (program !== null) expect(PROGRAMS).toContain(program);
  for (const program of PROGRAMS) {
    expect(existsSync(join(ROOT, 'bench', `${program}.ts`)), program).toBe(true);
    expect(readme).toContain(`\`${program}.ts\``);
  }
});

test('what is missed, not measured or not built is shown as plainly as what is met', () => {
  const [met, missed] = ['delta-open', 'recovery'].map((name) => {
    const row = BUDGETS.find(({ program }) => program === name)!;
    return { name, what: row.what };
  });
  const resultOf = (name: string, what: string, measured: number): [string, BenchResult] => [
    name,
    {
      name,
      budgets: [budgetOf(what, measured, 1)],
      date: '2026-01-02T00:00:00Z',
      machine: { cores: 2, cpu: 'a machine' },
    } as unknown as BenchResult,
  ];
  const text = budgetTable(
    new Map([resultOf(met!.name, met!.what, 1.2), resultOf(missed!.name, missed!.what, 2.5)]),
  );
  expect(text).toContain(`| ${met!.what} | < 1.5 | 1.2 | yes |`);
  expect(text).toContain(`| ${missed!.what} | < 2 | 2.5 | **no** |`);
  expect(text).toContain('| not measured yet |  |');
  expect(text).toContain('| not built yet |  |');
  expect(text).toContain('On 2026-01-02, 2 cores of a machine.');
});
