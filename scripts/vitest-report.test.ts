import { expect, test } from 'vitest';
import { tally } from './vitest-report.ts';

interface Case {
  readonly status: string;
  readonly failureMessages?: readonly string[];
}

function report(...cases: readonly Case[]) {
  const isGreen = cases.every((it) => it.status !== 'failed');
  return file(isGreen ? 'passed' : 'failed', '', cases);
}

function file(status: string, message: string, cases: readonly Case[]) {
  const assertionResults = cases.map((it, index) => ({ fullName: `case ${index}`, ...it }));
  return { testResults: [{ name: 'a.test.ts', status, message, assertionResults }] };
}

test('counts what passed', () => {
  expect(tally(report({ status: 'passed' }, { status: 'passed' }), 0)).toEqual({
    passed: 2,
    failures: [],
  });
});

test('names a failed test with its message', () => {
  const cases = [{ status: 'passed' }, { status: 'failed', failureMessages: ['boom'] }];
  expect(tally(report(...cases), 1)).toEqual({
    passed: 1,
    failures: [{ name: 'a.test.ts > case 1', detail: 'boom' }],
  });
});

test('shows where in our code it failed, not where in the runner', () => {
  const stack =
    'Error: boom\n    at /x/a.test.ts:1:2\n    at run (/x/node_modules/vitest/a.js:1:2)';
  const failed = { status: 'failed', failureMessages: [stack] };
  expect(tally(report(failed), 1).failures[0]?.detail).toBe('Error: boom\n    at /x/a.test.ts:1:2');
});

test.each(['skipped', 'pending', 'todo', 'disabled'])('a test that is %s has failed', (status) => {
  const { passed, failures } = tally(report({ status: 'passed' }, { status }), 0);
  expect([passed, failures.map((it) => it.name)]).toEqual([1, ['a.test.ts > case 1']]);
});

test('a file that broke before its first test has failed', () => {
  expect(tally(file('failed', 'cannot import', []), 1).failures).toEqual([
    { name: 'a.test.ts', detail: 'cannot import' },
  ]);
});

test('a file whose clean-up broke has failed although its tests passed', () => {
  const { passed, failures } = tally(file('failed', 'afterAll', [{ status: 'passed' }]), 1);
  expect([passed, failures.length]).toEqual([1, 1]);
});

test('a run that ends badly after green tests has failed', () => {
  expect(tally(report({ status: 'passed' }), 1).failures).toHaveLength(1);
});

test('a run without tests has failed', () => {
  expect(tally({ testResults: [] }, 0).failures).toHaveLength(1);
});
