import { execFile, type ExecFileException } from 'node:child_process';
import { processEnv } from '../../src/platform/system.ts';

export interface PythonOptions {
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until it is killed; importing the heavy clients alone takes seconds. */
  readonly timeoutMs?: number;
}

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Runs Python source with the real foreign clients of requirements.txt and gives what it printed. A
 * traceback fails the test with the traceback. `args` are in `sys.argv[1:]`.
 */
export function python(source: string, options: PythonOptions = {}): Promise<string> {
  const interpreter = processEnv['PYTHON'];
  if (interpreter === undefined) {
    throw new Error('no Python with the foreign clients: run `npm test` once, it makes .venv');
  }
  return new Promise((resolve, reject) => {
    execFile(
      interpreter,
      ['-c', source, ...(options.args ?? [])],
      {
        cwd: options.cwd,
        env: { ...processEnv, ...options.env },
        timeout: options.timeoutMs ?? 100_000,
        killSignal: 'SIGKILL',
        maxBuffer: OUTPUT_BYTES_MAX,
      },
      (error, stdout, stderr) => {
        if (error === null || isEndOfThreads(error, stderr)) resolve(stdout);
        else reject(new Error(`Python failed\n${stderr || error.message}`, { cause: error }));
      },
    );
  });
}

/**
 * Native threads of a client that outlive the interpreter now and then end it, after everything was
 * done and printed.
 */
function isEndOfThreads({ signal }: ExecFileException, stderr: string): boolean {
  return signal === 'SIGABRT' && stderr.trim() === 'terminate called without an active exception';
}
