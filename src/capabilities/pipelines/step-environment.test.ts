import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StageSpec } from './stage-spec.ts';
import { stepEnvironment, writeShim } from './step-environment.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-shim-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('the millwright of stages can be called, whatever its mode was before', async () => {
  const program = { node: '/node', entry: '/entry' };
  const file = path.join(folder, 'millwright');
  await writeShim(folder, program);
  chmodSync(file, 0o644);
  await writeShim(folder, program);
  expect(statSync(file).mode & 0o777).toBe(0o755);
});

test('a step calls with its own pass, not with what the server was started with', () => {
  const base = {
    HOME: '/home/ada',
    MILLWRIGHT_TOKEN: 'of the server',
    MLFLOW_TRACKING_USERNAME: 'elsewhere',
    MLFLOW_TRACKING_PASSWORD: 'elsewhere',
  };
  const env = stepEnvironment({
    base,
    url: 'http://127.0.0.1:7070',
    pass: 'mwk_att_1',
    stateFolder: '/state',
    shimFolder: '/state/bin',
    pythonFolder: null,
    environment: null,
    folder: '/project',
    run: 'prun_1',
    trainUntil: null,
    attempt: 'att_1',
    spec: {
      stage: { name: 'train', cmd: 'python train.py' },
      code: { tree: '', commit: null, leftOut: [] },
      pinned: { tables: [], trainingSet: null, definition: null },
    } as unknown as StageSpec,
  });
  expect(env).toMatchObject({
    HOME: '/home/ada',
    MILLWRIGHT_TOKEN: 'mwk_att_1',
    MLFLOW_TRACKING_TOKEN: 'mwk_att_1',
  });
  expect(env).not.toHaveProperty('MLFLOW_TRACKING_USERNAME');
  expect(env).not.toHaveProperty('MLFLOW_TRACKING_PASSWORD');
});
