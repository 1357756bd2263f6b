import { Command } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { maturityCommands } from '../../src/capabilities/maturity/commands.ts';
import {
  getMaturity,
  listMaturity,
  listMaturityChanges,
  type MaturityDetail,
} from '../../src/capabilities/maturity/contract.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import {
  deploy,
  drillRollback,
  putEndpoint,
  rollback,
} from '../../src/capabilities/serving/contract.ts';
import { applyDeclared, planDeclared } from '../../src/capabilities/workspace/contract.ts';
import { createOutput } from '../../src/platform/cli/output.ts';
import { versionModel } from '../onnx-model.ts';

const DAY_MS = 86_400_000;
const params = { endpoint: 'late' };

let app: TestApp;

beforeEach(async () => {
  app = await createTestApp();
  for (const version of [1, 2]) {
    const bytes = versionModel({ version });
    await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
  }
  const body = { model: 'late', key: 'flight_id' };
  await app.api.call(putEndpoint, { params, body });
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

async function deployed(version: number): Promise<void> {
  await app.api.call(deploy, { params, body: { version } });
}

function check(detail: MaturityDetail, id: string) {
  return detail.checks.find((one) => one.id === id);
}

async function printed(...words: readonly string[]): Promise<string> {
  let text = '';
  const sink = {
    write: (part: string) => {
      text += part;
    },
  };
  const program = new Command().exitOverride();
  maturityCommands(program, {
    withApi: (action) => action(app.api),
    out: createOutput({ sink, isJson: false }),
    declaration: () => {
      throw new Error('no file is declared');
    },
    endWith: () => undefined,
  });
  await program.parseAsync(['level', ...words], { from: 'user' });
  return text;
}

test('refuses a level where nothing answers', async () => {
  const nothing = app.api.call(getMaturity, { params });
  await expect(nothing).rejects.toMatchObject({ code: 'ENDPOINT_NOT_READY' });
  const nowhere = app.api.call(getMaturity, { params: { endpoint: 'nope' } });
  await expect(nowhere).rejects.toMatchObject({ code: 'ENDPOINT_NOT_FOUND' });
  expect((await app.api.call(listMaturity, { query: {} })).items).toEqual([]);
  expect(await printed()).toContain('Nothing answers yet');
});

test('reads the level of a file that somebody registered and deployed', async () => {
  await deployed(1);
  const detail = await app.api.call(getMaturity, { params });
  expect(detail).toMatchObject({ endpoint: 'late', model: 'late', version: 1, level: 0 });
  expect(detail.isSeen).toBe(false);
  expect(detail.checks).toHaveLength(45);
  expect(check(detail, 'A1')).toMatchObject({ state: 'fail' });
  expect(check(detail, 'A4')).toMatchObject({
    state: 'pass',
    evidence: [
      { kind: 'model', id: 'late@1' },
      { kind: 'revision', id: 'late@1' },
    ],
  });
  expect(check(detail, 'B11')).toMatchObject({ state: 'pass' });
  expect(detail.next).toMatchObject({ id: 'A1', fix: { command: 'millwright run' } });
  const { items } = await app.api.call(listMaturity, { query: {} });
  expect(items).toMatchObject([{ endpoint: 'late', level: 0, next: { id: 'A1' } }]);
});

async function mlflow(path: string, body: object) {
  const reply = await app.app.http.inject({
    method: 'POST',
    url: `/api/2.0/mlflow/${path}`,
    headers: { host: '127.0.0.1' },
    payload: body,
  });
  expect(reply.statusCode, reply.body).toBe(200);
  return reply.json();
}

test('reads what an unmodified client of MLflow logged', async () => {
  const dataset = { name: 'flights', digest: '3f2a', source_type: 'local', source: '{}' };
  const { run } = await mlflow('runs/create', { experiment_id: '0', user_id: 'ada' });
  const id: string = run.info.run_id;
  await mlflow('runs/log-parameter', { run_id: id, key: 'lr', value: '0.1' });
  const metric = { key: 'auc', value: 0.75, timestamp: 1, step: 0 };
  await mlflow('runs/log-metric', { run_id: id, ...metric });
  const context = (value: string) => [{ key: 'mlflow.data.context', value }];
  const datasets = [
    { dataset, tags: context('training') },
    { dataset: { ...dataset, name: 'june', digest: '77' }, tags: context('eval') },
  ];
  await mlflow('runs/log-inputs', { run_id: id, datasets });
  const commit = 'c'.repeat(40);
  await mlflow('runs/set-tag', { run_id: id, key: 'mlflow.source.git.commit', value: commit });
  await mlflow('runs/update', { run_id: id, status: 'FINISHED' });
  const bytes = versionModel({ version: 3 });
  const query = { run: `run_${id}` };
  await app.api.call(registerModel, { params: { model: 'late' }, query }, { bytes });
  await deployed(3);
  const detail = await app.api.call(getMaturity, { params });
  const states = ['A1', 'A2', 'A3', 'A4', 'A5', 'A6'].map((one) => check(detail, one)?.state);
  expect(states).toEqual(['pass', 'pass', 'pass', 'pass', 'fail', 'pass']);
  expect(check(detail, 'A3')?.evidence).toEqual([{ kind: 'run', id: `run_${id}` }]);
  expect(check(detail, 'B5')).toMatchObject({
    state: 'pass',
    why: `run_${id} logged metrics of june 77.`,
  });
  expect(check(detail, 'B1')?.state).toBe('fail');
  expect(check(detail, 'B2')).toMatchObject({
    state: 'unknown',
    fix: { command: 'git push && millwright run --force' },
  });
  expect(check(detail, 'B7')?.why).toContain('flights 3f2a, code cccc');
  expect(detail.next?.id).toBe('A5');
});

test('counts a rollback once it was done, until it is too long ago', async () => {
  await deployed(1);
  await deployed(2);
  expect(check(await app.api.call(getMaturity, { params }), 'C8')?.state).toBe('fail');
  await app.api.call(drillRollback, { params, body: {} });
  const done = check(await app.api.call(getMaturity, { params }), 'C8');
  const evidence = ['late@4', 'late@3'].map((id) => ({ kind: 'revision', id }));
  expect(done).toMatchObject({ state: 'pass', evidence });
  expect(done?.why).toMatch(/^revision 4 restored 2 in a drill on \S+ in \d+ ms\.$/);
  app.clock.advance(104 * DAY_MS);
  const old = check(await app.api.call(getMaturity, { params }), 'C8');
  expect(old).toMatchObject({
    state: 'unknown',
    fix: { command: 'millwright rollback late --drill' },
  });
  expect(old?.why).toContain('104 days ago');
});

test('takes what is declared for what runs once somebody has looked', async () => {
  const of = async () => check(await app.api.call(getMaturity, { params }), 'C9');
  await deployed(1);
  expect(await of()).toMatchObject({
    state: 'fail',
    fix: { command: 'millwright apply && millwright plan' },
  });
  const endpoints = { late: { model: 'late', key: 'flight_id', sticky: 'flight_id' } };
  const body = { declared: { endpoints } };
  app.clock.advance(1);
  await app.api.call(applyDeclared, { body });
  expect(await of()).toMatchObject({ state: 'unknown' });
  app.clock.advance(1);
  await app.api.call(planDeclared, { body });
  expect(await of()).toMatchObject({ state: 'pass' });
  // Changed past the file.
  await app.api.call(putEndpoint, { params, body: { model: 'late', key: 'other' } });
  app.clock.advance(1);
  await app.api.call(planDeclared, { body });
  expect((await of())?.why).toContain('found 1 difference');
});

test('keeps every change, also those that nobody asked for', async () => {
  await deployed(1);
  await deployed(2);
  await app.api.call(rollback, { params, body: { reason: 'drill' } });
  await app.app.platform.events.settled();
  const query = { subject: 'C8' };
  const { items } = await app.api.call(listMaturityChanges, { params, query });
  expect(items.map(({ from, to }) => [from, to])).toEqual([
    ['fail', 'pass'],
    [null, 'fail'],
  ]);
  app.clock.advance(104 * DAY_MS);
  await app.app.platform.timers.fireDue();
  const page = await app.api.call(listMaturityChanges, { params, query: { ...query, limit: 1 } });
  expect(page.items).toMatchObject([{ from: 'pass', to: 'unknown', at: '2001-06-13T00:00:00Z' }]);
  const rest = { ...query, cursor: page.nextCursor! };
  expect((await app.api.call(listMaturityChanges, { params, query: rest })).items).toHaveLength(2);
  const level = { subject: 'level' };
  const levels = await app.api.call(listMaturityChanges, { params, query: level });
  expect(levels.items).toMatchObject([{ from: null, to: '0' }]);
});

test('says the level, the one next step, and what was exercised of level 3', async () => {
  await deployed(1);
  const text = await printed('late');
  expect(text).toContain('late (late v1): level 0, only in part: ');
  expect(text).toContain('level-3 checks exercised: 0 of 13');
  expect(text).toContain('next: A1 ');
  expect(text).not.toContain('D13');
  const all = await printed('late', '--all');
  expect(all).toContain('✘ D13');
  expect(all).toContain('see model late@1, revision late@1');
  expect(await printed('late', '--history')).toMatch(/A4 +pass/);
  await expect(printed('nope')).rejects.toMatchObject({ code: 'ENDPOINT_NOT_FOUND' });
});
