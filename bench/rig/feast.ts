import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { spawn } from 'node:child_process';
import { Obstacle } from '../../scripts/progress.mjs';
import { childEnv, ROOT } from '../../scripts/run.ts';
import { feastPython } from './python.ts';
import { answers, freePort, start } from './running.ts';
import { stopWithWorkers } from './workers.ts';

/** What only costs time is switched off, so that the comparison is in Feast's favour. */
const IN_ITS_FAVOUR = { FEAST_USAGE: 'False', PYTHONWARNINGS: 'ignore' } as const;

export interface Feast {
  /** Milliseconds of each read by its client library, in its own process. */
  read(service: string, entities: number, reads: number): Promise<readonly number[]>;
  /** Address of its Python feature server. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A filled store in the folder, a process that reads it, and its server with one worker. */
export async function startFeast(folder: string, entities: number): Promise<Feast> {
  const maker = join(ROOT, 'bench', 'rig', 'feast_store.py');
  const reader = spawn(feastPython, [maker, folder, `${entities}`], {
    env: { ...childEnv(), ...IN_ITS_FAVOUR },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  reader.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4000);
  });
  const ended = once(reader, 'exit');
  const lines = createInterface({ input: reader.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Obstacle(`${errors}\nFeast's store could not be made or read.`);
    return value;
  };
  while ((await nextLine()) !== 'ready');
  const port = await freePort();
  const server = start({
    command: join(dirname(feastPython), 'feast'),
    args: [
      `--chdir=${folder}`,
      ...`serve --host 127.0.0.1 --port ${port} --workers 1 --no-access-log`.split(' '),
    ],
    core: null,
    env: IN_ITS_FAVOUR,
  });
  const url = `http://127.0.0.1:${port}`;
  await answers(`${url}/health`);
  return {
    url,
    read: async (service, count, reads) => {
      reader.stdin.write(`${service} ${count} ${reads}\n`);
      return JSON.parse(await nextLine()) as number[];
    },
    stop: async () => {
      reader.stdin.end();
      await Promise.all([ended, stopWithWorkers(server)]);
    },
  };
}
