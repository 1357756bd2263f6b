import { z } from 'zod';

/** The parts of vitest's JSON report that count. */
const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

export interface Failure {
  readonly name: string;
  /** What was printed about it; may be empty. */
  readonly detail: string;
}

export interface Tally {
  readonly passed: number;
  readonly failures: readonly Failure[];
}

/**
 * Counts a report. Only `passed` passes: a skipped or todo test is a promise, and counts as failed.
 * So does a file that broke outside its tests, and a run that failed although every test passed.
 */
export function tally(report: unknown, exitCode: number): Tally {
  const files = Report.parse(report).testResults;
  const failures = files.flatMap((file) => fileFailures(file));
  const total = files.reduce((sum, file) => sum + file.assertionResults.length, 0);
  const failedTests = files
    .flatMap((file) => file.assertionResults)
    .filter((test) => test.status !== 'passed').length;
  if (failures.length === 0 && total === 0) {
    failures.push({ name: 'vitest', detail: 'no test ran' });
  } else if (failures.length === 0 && exitCode !== 0) {
    failures.push({ name: 'vitest', detail: `every test passed, yet it ended with ${exitCode}` });
  }
  return { passed: total - failedTests, failures };
}

function fileFailures(file: z.infer<typeof Report>['testResults'][number]): Failure[] {
  const failed = file.assertionResults
    .filter((test) => test.status !== 'passed')
    .map((test) => ({
      name: `${file.name} > ${test.fullName}`,
      detail:
        test.status === 'failed'
          ? (test.failureMessages ?? []).map(withoutForeignFrames).join('\n')
          : `${test.status}: every test runs, or is deleted`,
    }));
  if (failed.length > 0 || file.status === 'passed') return failed;
  return [{ name: file.name, detail: file.message || `the file ended as ${file.status}` }];
}

/** A stack says where in our code; the test runner's own frames hide it. */
function withoutForeignFrames(message: string): string {
  const isForeign = /^\s+at .*(?:node_modules|node:|<anonymous>)/;
  return message
    .split('\n')
    .filter((line) => !isForeign.test(line))
    .join('\n');
}
