import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { answers, freePort, start, type Running } from './running.ts';
import { stopWithWorkers } from './workers.ts';

/** What only costs time is switched off, so that the comparison is in MLflow's favour. */
const IN_ITS_FAVOUR = {
  MLFLOW_DISABLE_TELEMETRY: 'true',
  MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
  PYTHONWARNINGS: 'ignore',
} as const;

export interface MlflowServer extends Running {
  readonly url: string;
}

/** MLflow's own server with SQLite, one worker, in the folder. */
export async function startMlflow(options: {
  readonly python: string;
  readonly folder: string;
}): Promise<MlflowServer> {
  const { python, folder } = options;
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const running = start({
    command: python,
    args: [
      ...`-m mlflow server --host 127.0.0.1 --port ${port} --workers 1`.split(' '),
      `--backend-store-uri=${mlflowDatabase(folder)}`,
      `--artifacts-destination=${join(folder, 'artifacts')}`,
    ],
    core: null,
    env: IN_ITS_FAVOUR,
  });
  const url = `http://127.0.0.1:${port}`;
  await answers(`${url}/health`);
  return { ...running, url, stop: () => stopWithWorkers(running) };
}

export function mlflowDatabase(folder: string): string {
  return `sqlite:///${join(folder, 'mlflow.db')}`;
}
