import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packageFolder } from '../../src/app/program.ts';
import { processEnv, sleep, systemClock } from '../../src/platform/system.ts';
import { docsSteps, printedAs, type DocsStep } from './docs-page.ts';

const READY = /ready at \S+/;
const READY_MS_MAX = 60_000;

/** Does what a page of docs/ tells its reader, in an empty folder, with the real programs. */
export class DocsReader {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'millwright-docs-'));
  readonly #port: number;
  /** What the reader's shell keeps from one block to the next. */
  readonly #kept: string[] = [];
  readonly #servers: ChildProcess[] = [];
  #work: string;

  private constructor(port: number) {
    this.#port = port;
    this.#work = path.join(this.folder, 'work');
    const bin = path.join(this.folder, 'bin');
    for (const made of [this.#work, bin]) mkdirSync(made);
    const program = path.join(bin, 'millwright');
    const main = path.join(packageFolder, 'src/app/main.ts');
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
    chmodSync(program, 0o755);
  }

  static async open(): Promise<DocsReader> {
    return new DocsReader(await freePort());
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      if (server.exitCode !== null) continue;
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
    rmSync(this.folder, { recursive: true });
  }

  /** Rejects with the line of the page that did not do what it says. */
  async follow(page: string): Promise<void> {
    let printed = '';
    for (const step of docsSteps(page)) {
      const where = `docs/${page}:${step.line}`;
      if (step.kind === 'file') this.#save(step);
      if (step.kind === 'run') printed = await this.#run(step, where);
      if (step.kind === 'prints' && !printedAs(this.#here(step.text), printed)) {
        throw new Error(
          `${where} shows\n${this.#here(step.text)}\nbut this was printed\n${printed}`,
        );
      }
    }
  }

  /** The page's text with the port and the folder of this reader. */
  #here(text: string): string {
    return text.replaceAll('127.0.0.1:7070', `127.0.0.1:${this.#port}`);
  }

  #save({ name, text }: Extract<DocsStep, { kind: 'file' }>): void {
    const file = path.join(this.#work, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, this.#here(text));
  }

  async #run({ text, exit }: Extract<DocsStep, { kind: 'run' }>, where: string): Promise<string> {
    const lines = this.#here(text).trim().split('\n');
    if (lines[0]!.startsWith('millwright up')) {
      await this.#up(lines[0]!, where);
      return '';
    }
    const script = ['set -e', ...this.#kept, ...lines].join('\n');
    const child = this.#shell(script);
    let [stdout, stderr] = ['', ''];
    child.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== exit) {
      throw new Error(`${where} ended with ${code}, not ${exit}\n${stdout}\n${stderr}`);
    }
    for (const line of lines) if (/^(?:export|cd) /.test(line)) this.#keep(line);
    return stdout;
  }

  #keep(line: string): void {
    if (line.startsWith('cd ')) this.#work = path.resolve(this.#work, line.slice('cd '.length));
    else this.#kept.push(line);
  }

  /** The server goes on beside what follows, as in a second terminal. */
  async #up(command: string, where: string): Promise<void> {
    const child = this.#shell(`exec ${command}`);
    this.#servers.push(child);
    let output = '';
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    }
    const deadline = systemClock.elapsed() + READY_MS_MAX;
    while (!READY.test(output)) {
      if (child.exitCode !== null || systemClock.elapsed() > deadline) {
        throw new Error(`${where} is not ready\n${output}`);
      }
      await sleep(20);
    }
  }

  #shell(script: string): ChildProcess {
    const python = processEnv['PYTHON'];
    if (python === undefined) throw new Error('no Python: run `npm test` once, it makes .venv');
    const found = [path.join(this.folder, 'bin'), path.dirname(python), processEnv['PATH']];
    return spawn('bash', ['-c', script], {
      cwd: this.#work,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...processEnv,
        PATH: found.join(path.delimiter),
        MILLWRIGHT_PORT: String(this.#port),
        MILLWRIGHT_LOG: 'warn',
        MLFLOW_DISABLE_TELEMETRY: 'true',
        PIP_DISABLE_PIP_VERSION_CHECK: '1',
        PIP_ROOT_USER_ACTION: 'ignore',
      },
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, 'close');
  return port;
}
