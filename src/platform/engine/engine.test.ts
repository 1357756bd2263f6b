import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../base/errors.ts';
import { silentLog } from '../log/log.ts';
import { processEnv, sleep, systemClock } from '../system.ts';
import { encodeFrame, FrameReader, type EngineMessage } from './frames.ts';
import type { HeartbeatLimits } from './heartbeat.ts';
import type { EngineState } from './port.ts';
import { serveTasks } from './server.ts';
import { EngineSupervisor } from './supervisor.ts';

const messages = fc.array(
  fc.record({
    kind: fc.constant('done' as const),
    id: fc.nat(),
    output: fc.oneof(fc.string(), fc.uint8Array(), fc.jsonValue()),
  }),
  { maxLength: 10 },
);

test('frames survive any cut of the stream', () => {
  fc.assert(
    fc.property(messages, fc.array(fc.nat({ max: 50 })), (sent, cuts) => {
      const bytes = Buffer.concat(sent.map((message) => encodeFrame(message)));
      const reader = new FrameReader();
      const received: EngineMessage[] = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        received.push(...reader.push(bytes.subarray(at, at + cut)));
        at = Math.min(bytes.length, at + cut);
      }
      expect(received).toEqual(sent);
    }),
  );
});

describe('the engine’s side', () => {
  async function pair(): Promise<[Socket, Socket]> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    const client = connect((server.address() as { port: number }).port, '127.0.0.1');
    const [socket] = (await accepted) as [Socket];
    server.close();
    return [client, socket];
  }

  test('loads its tasks again when that failed before', async () => {
    const [main, engine] = await pair();
    let loads = 0;
    serveTasks({
      socket: engine,
      load: async () => {
        loads += 1;
        if (loads === 1) throw new AppError('DISK_FULL', 'no room');
        return { echo: async (input) => input };
      },
      onStop: async () => undefined,
      onClose: () => undefined,
    });
    const reader = new FrameReader();
    const replies: EngineMessage[] = [];
    main.on('data', (chunk: Buffer) => replies.push(...reader.push(chunk)));
    for (const id of [1, 2]) {
      main.write(encodeFrame({ kind: 'run', id, name: 'echo', input: 'hi' }));
      while (replies.length <= id) await sleep(5);
    }
    expect(replies).toMatchObject([
      { kind: 'ready' },
      { kind: 'failed', id: 1, error: { code: 'DISK_FULL' } },
      { kind: 'done', id: 2, output: 'hi' },
    ]);
    main.destroy();
  });
});

describe('the supervisor', () => {
  let folder: string;
  let engine: EngineSupervisor;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mw-engine-'));
  });

  afterEach(async () => {
    await engine.stop();
    await rm(folder, { recursive: true });
  });

  /** An engine process with tasks of the test's own. */
  async function start(tasks: string, heartbeat?: HeartbeatLimits): Promise<EngineSupervisor> {
    const server = new URL('server.ts', import.meta.url).href;
    const entry = path.join(folder, 'engine.ts');
    await writeFile(
      entry,
      `import { Socket } from 'node:net';
       import { existsSync, writeFileSync } from 'node:fs';
       import type { EngineState } from './port.ts';
import { serveTasks } from ${JSON.stringify(server)};
       const mark = ${JSON.stringify(path.join(folder, 'mark'))};
       serveTasks({ socket: new Socket({ fd: 3 }), load: async () => (${tasks}),
         onStop: async () => undefined, onClose: () => process.exit(0) });`,
    );
    engine = new EngineSupervisor({
      entry,
      args: [],
      env: processEnv,
      clock: systemClock,
      log: silentLog,
      ...(heartbeat === undefined ? {} : { heartbeat }),
    });
    engine.start();
    return engine;
  }

  test('runs tasks and passes on their errors', async () => {
    await start('{ double: async (n) => n * 2, fail: async () => { throw new Error("bug") } }');
    expect(await engine.run('double', 21)).toBe(42);
    await expect(engine.run('fail', null)).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(engine.run('nothing', null)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('refuses an input that cannot be sent, also one that waited for the engine', async () => {
    await start('{ echo: async (input) => input }');
    const early = engine.run('echo', () => undefined);
    await expect(early).rejects.toThrow('could not be cloned');
    const late = engine.run('echo', () => undefined);
    await expect(late).rejects.toThrow('could not be cloned');
    expect(await engine.run('echo', 1)).toBe(1);
  });

  test('tries again when the process cannot even be started', async () => {
    engine = new EngineSupervisor({
      entry: 'engine.ts',
      // Longer than any argument may be.
      args: ['x'.repeat(1024 * 1024)],
      env: processEnv,
      clock: systemClock,
      log: silentLog,
    });
    engine.start();
    while (engine.restarts < 2) await sleep(10);
    expect(engine.state).toBe('restarting');
  });

  test('sends a task again when the engine died under it', async () => {
    await start(`{ once: async () => {
      if (existsSync(mark)) return 'second try';
      writeFileSync(mark, '');
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => undefined);
    } }`);
    expect(await engine.run('once', null)).toBe('second try');
    expect(engine.restarts).toBe(1);
  });

  test('gives up on a task that kills every engine, and goes on with others', async () => {
    await start('{ die: async () => process.kill(process.pid, "SIGKILL"), ok: async () => 1 }');
    const dead = engine.run('die', null);
    await expect(dead).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    expect(await engine.run('ok', null)).toBe(1);
  });

  test('pauses an engine that dies in a loop and says so at once', async () => {
    await start('{}');
    const state = (): EngineState => engine.state;
    while (state() !== 'ready') await sleep(10);
    await writeFile(path.join(folder, 'engine.ts'), 'process.exit(1);');
    process.kill(engine.pid!, 'SIGKILL');
    while (state() !== 'broken') await sleep(20);
    await expect(engine.run('any', null)).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  });

  test('gives up waiting after the time the caller allows', async () => {
    await start('{ hang: () => new Promise(() => undefined) }');
    const waiting = engine.run('hang', null, { timeoutMs: 50 });
    await expect(waiting).rejects.toMatchObject({ code: 'TIMED_OUT' });
    const stop = new AbortController();
    const aborted = engine.run('hang', null, { signal: stop.signal });
    stop.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'TIMED_OUT' });
  });

  describe('with a heartbeat', () => {
    const limits = { everyMs: 50, unresponsiveMs: 400, hungMs: 1500, busyMs: 60_000 };
    const state = (): EngineState => engine.state;
    const ready = async (): Promise<void> => {
      while (state() !== 'ready') await sleep(10);
    };

    test('says that a stopped engine is unresponsive, and that it is back', async () => {
      await start('{ echo: async (input) => input }', limits);
      expect(await engine.run('echo', 1)).toBe(1);
      const { pid } = engine;
      process.kill(pid!, 'SIGSTOP');
      while (state() !== 'unresponsive') await sleep(10);
      const waiting = engine.run('echo', 2);
      process.kill(pid!, 'SIGCONT');
      expect(await waiting).toBe(2);
      await ready();
      expect(engine).toMatchObject({ pid, restarts: 0 });
    });

    test('kills one that stays stopped, and gives its task to the next', async () => {
      await start('{ echo: async (input) => input }', limits);
      expect(await engine.run('echo', 1)).toBe(1);
      const { pid } = engine;
      process.kill(pid!, 'SIGSTOP');
      expect(await engine.run('echo', 2)).toBe(2);
      expect(engine.restarts).toBe(1);
      expect(engine.pid).not.toBe(pid);
    });

    const spin = `{ spin: async (ms) => {
      const start = process.uptime();
      while ((process.uptime() - start) * 1000 < ms);
      return process.pid;
    } }`;

    test('leaves one alone that computes for long in one go', async () => {
      await start(spin, limits);
      await ready();
      const { pid } = engine;
      const spinning = engine.run('spin', 2 * limits.hungMs);
      while (state() !== 'unresponsive') await sleep(10);
      expect(await spinning).toBe(pid);
      await ready();
      expect(engine.restarts).toBe(0);
    });

    test('leaves one alone whose work is in native threads', async () => {
      const pbkdf2 = `{ hash: async () => {
        const { pbkdf2 } = await import('node:crypto');
        const start = process.uptime();
        while (process.uptime() - start < 2) {
          await new Promise((resolve) => pbkdf2('a', 'b', 500000, 64, 'sha512', resolve));
        }
        return process.pid;
      } }`;
      await start(pbkdf2, limits);
      const hashing = engine.run('hash', null);
      await ready();
      const states = new Set<EngineState>();
      while (!(await Promise.race([hashing.then(() => true), sleep(10)]))) states.add(state());
      expect([...states]).toEqual(['ready']);
    });

    test('kills one that computes without end', async () => {
      await start(spin, { ...limits, busyMs: 1000 });
      await ready();
      const { pid } = engine;
      const spinning = engine.run('spin', 60_000);
      spinning.catch(() => undefined);
      while (engine.restarts === 0) await sleep(10);
      expect(isRunning(pid!)).toBe(false);
    });
  });

  test('stops an engine that is still starting', async () => {
    await start('{}');
    await engine.stop();
    expect(engine.state).toBe('stopped');
    expect(engine.pid).toBeNull();
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
