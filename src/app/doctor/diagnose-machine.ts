import { execFile } from 'node:child_process';
import { existsSync, linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '../../base/errors.ts';
import { ill, well, type Diagnosis } from './diagnosis.ts';

const NODE_MAJOR_MIN = 24;
const GIGABYTE = 1_000_000_000;
/** A Delta table, its copy while it is compacted, and an environment with PyTorch need as much. */
const FREE_WARN_BYTES = 5 * GIGABYTE;
/** Below this the journal and the next backup may not find room. */
const FREE_FAIL_BYTES = GIGABYTE;
const PROGRAM_TIMEOUT_MS = 20_000;

export function diagnoseNode(version: string): Diagnosis {
  const major = Number(/^v(\d+)/.exec(version)?.[1]);
  if (major >= NODE_MAJOR_MIN) return well('node', version);
  const cure = `Install Node ${NODE_MAJOR_MIN} or later: npm install --global node@${NODE_MAJOR_MIN}`;
  return ill('node', 'fail', { found: version, cure });
}

/** The native modules: one that is there may still be built for another machine. */
export async function diagnoseModules(): Promise<readonly Diagnosis[]> {
  return [
    await loaded('duckdb', async () => {
      const { DuckDbSession } = await import('../../platform/analytics/duckdb-session.ts');
      const options = { memoryLimitBytes: 64_000_000, threads: 1, temporaryFolder: tmpdir() };
      const session = await DuckDbSession.open({ ...options, folders: [] });
      await session.close();
    }),
    await loaded('lmdb', () => import('../../platform/kv/lmdb.ts')),
    await loaded('onnxruntime', async () => {
      const { loadRuntime } = await import('../../platform/inference/onnx-session.ts');
      await loadRuntime();
    }),
  ];
}

async function loaded(name: string, load: () => Promise<unknown>): Promise<Diagnosis> {
  try {
    await load();
    return well(name, 'loads');
  } catch (thrown) {
    const { message } = thrown as Error;
    const hint = thrown instanceof AppError ? thrown.hint : undefined;
    const cure = hint ?? 'Install Millwright again on this machine: npm install';
    return ill(name, 'fail', { found: message.split('\n')[0]!, cure });
  }
}

/** `isNeeded`: the project has stages or a lock, which run with it. */
export async function diagnosePython(isNeeded: boolean): Promise<Diagnosis> {
  const python = await versionOf('python3', ['--version']);
  const uv = await versionOf('uv', ['--version']);
  const state = isNeeded ? 'fail' : 'warn';
  if (python === null) {
    const cure = 'Install Python 3.11 or later; stages of dvc.yaml and training scripts need it.';
    return ill('python', state, { found: 'no python3 on the PATH', cure });
  }
  if (uv !== null) return well('python', `${python}, ${uv}`);
  const venv = await versionOf('python3', ['-c', 'import ensurepip, venv; print("venv")']);
  if (venv !== null) return well('python', `${python}, venv`);
  const cure =
    'Install uv, or the venv module of your Python (Debian: apt-get install python3-venv).';
  return ill('python', state, { found: `${python}, but neither uv nor venv`, cure });
}

export async function diagnoseGit(hasGit: boolean): Promise<Diagnosis> {
  const git = await versionOf('git', ['--version']);
  if (git === null) {
    const cure = 'Install git: runs are pinned to commits with it.';
    return ill('git', 'warn', { found: 'not on the PATH', cure });
  }
  if (hasGit) return well('git', git);
  const cure = 'Put the project under version control: git init';
  return ill('git', 'warn', { found: `${git}, but this folder is in no repository`, cure });
}

/** Millwright reads and writes DVC's files itself: its program is only for people. */
export async function diagnoseDvc(): Promise<Diagnosis> {
  const dvc = await versionOf('dvc', ['--version']);
  return well('dvc', dvc === null ? 'not on the PATH, and not needed' : `dvc ${dvc}`);
}

async function versionOf(program: string, args: readonly string[]): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout: PROGRAM_TIMEOUT_MS });
    return stdout.trim().split('\n')[0] ?? '';
  } catch {
    return null;
  }
}

export async function diagnoseDisk(stateFolder: string): Promise<Diagnosis> {
  const at = nearestThere(stateFolder);
  const { bavail, bsize } = await statfs(at);
  const free = bavail * bsize;
  const found = `${(free / GIGABYTE).toFixed(1)} GB free`;
  if (free >= FREE_WARN_BYTES) return well('disk', found);
  const cure = `Make room on the disk of ${at}, or put the state elsewhere with --state.`;
  return ill('disk', free < FREE_FAIL_BYTES ? 'fail' : 'warn', { found, cure });
}

/** Commits to tables and the cache of outputs are hard links: atomic, and without a copy. */
export function diagnoseLinks(stateFolder: string): Diagnosis {
  const at = nearestThere(stateFolder);
  const cure = 'Put the state folder on a local disk with --state (not a network share or FAT).';
  let folder: string | null = null;
  try {
    folder = mkdtempSync(path.join(at, '.millwright-doctor-'));
    writeFileSync(path.join(folder, 'a'), '');
    linkSync(path.join(folder, 'a'), path.join(folder, 'b'));
    return well('hard links', 'work');
  } catch (thrown) {
    const { code = 'unknown' } = thrown as NodeJS.ErrnoException;
    const found = folder === null ? `${at} cannot be written (${code})` : `refused (${code})`;
    return ill('hard links', 'fail', { found, cure });
  } finally {
    if (folder !== null) rmSync(folder, { recursive: true });
  }
}

function nearestThere(folder: string): string {
  let at = path.resolve(folder);
  while (!existsSync(at)) at = path.dirname(at);
  return at;
}

/** Of a workspace whose server does not run: whether it could listen. */
export async function diagnosePort(host: string, port: number): Promise<Diagnosis> {
  const server = createServer();
  const code = await new Promise<string | null>((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? 'unknown');
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(null);
      });
    });
  });
  if (code === null) return well('port', `${host}:${port} is free`);
  const found = `${host}:${port} cannot be listened on (${code})`;
  const cure = 'Choose another: millwright up --port 0, or server.port in millwright.yaml.';
  return ill('port', 'fail', { found, cure });
}
