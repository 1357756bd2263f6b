import type { PipelineRun, PipelineStep } from '../../src/capabilities/pipelines/contract.ts';
import { hex, wallAt } from './fixture-values.ts';

const LOG = 'reading data/flights.parquet\nepoch 1 auc 0.741\nepoch 2 auc 0.768\n';

/** Logs of stages, whole. */
export const STAGE_LOGS: Readonly<Record<string, string>> = {
  prepare: 'wrote data/train.parquet\n',
  train: LOG,
};

export function pipelineId(index: number): string {
  return `prun_${hex(index + 1, 32)}`;
}

/** Newest first: one that runs, one that failed, and whole ones. */
export function pipelinesFixture(count: number): readonly PipelineRun[] {
  return Array.from({ length: count }, (_, index) => run(index));
}

function run(index: number): PipelineRun {
  const isRunning = index === 0;
  const hasFailed = index === 1;
  const start = -300 - index * 3700;
  const error = {
    code: 'STAGE_FAILED',
    message: 'Stage train ended with 1.',
    hint: 'Its log says why.',
  };
  return {
    id: pipelineId(index),
    folder: '/srv/flights',
    targets: index % 2 === 0 ? ['train'] : [],
    force: false,
    trainUntil: null,
    state: isRunning ? 'running' : hasFailed ? 'failed' : 'succeeded',
    actor: index % 3 === 0 ? 'loop' : 'ana',
    createdAt: wallAt(start),
    startedAt: wallAt(start + 1),
    finishedAt: isRunning ? null : wallAt(start + 95),
    environment: hex(77, 64),
    error: hasFailed ? error : null,
    waitsFor: null,
    activity: null,
    steps: [
      step('prepare', { state: 'cached' }),
      step('train', {
        state: isRunning ? 'running' : hasFailed ? 'failed' : 'succeeded',
        reasons: ['params.lr changed 0.1 → 0.05', 'dep train.py changed'],
        error: hasFailed ? error : null,
        attempts: [
          {
            id: `att_${hex(index, 32)}`,
            number: 1,
            state: isRunning ? 'running' : hasFailed ? 'failed' : 'succeeded',
            pid: 4242,
            startTime: '998877',
            startedAt: wallAt(start + 2),
            endedAt: isRunning ? null : wallAt(start + 50),
            exitCode: isRunning ? null : hasFailed ? 1 : 0,
            reason: hasFailed ? 'it ended with 1' : null,
          },
        ],
        outputs:
          isRunning || hasFailed
            ? []
            : [
                {
                  path: 'out/model.onnx',
                  md5: hex(5, 32),
                  sha256: hex(6, 64),
                  sizeBytes: 134_217,
                  files: null,
                },
              ],
        logTail: LOG,
      }),
      step('report', { state: isRunning ? 'waiting' : hasFailed ? 'skipped' : 'succeeded' }),
    ],
  };
}

function step(stage: string, more: Partial<PipelineStep>): PipelineStep {
  const nothing = { reasons: [], error: null, attempts: [], outputs: [], logTail: '' };
  return { stage, state: 'waiting', ...nothing, ...more };
}
