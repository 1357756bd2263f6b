import type { Socket } from 'node:net';
import { AppError, toAppError } from '../../base/errors.ts';
import { encodeFrame, FrameReader, type EngineMessage } from './frames.ts';
import type { TaskHandlers, TaskMap } from './port.ts';

/**
 * Serves tasks over the socket inherited from main. When the socket closes main is gone, and so is
 * the reason to live: `onClose` must end the process.
 */
export function serveTasks(options: {
  readonly socket: Socket;
  /** Called with the first task: the native modules behind the handlers are heavy. */
  readonly load: () => Promise<TaskHandlers<TaskMap>>;
  readonly onStop: () => Promise<void>;
  readonly onClose: () => void;
}): void {
  const { socket } = options;
  let loading: Promise<TaskHandlers<TaskMap>> | null = null;
  const running = new Map<number, AbortController>();
  const reader = new FrameReader();

  const send = (message: EngineMessage): void => {
    if (socket.writable) socket.write(encodeFrame(message));
  };

  const handlers = (): Promise<TaskHandlers<TaskMap>> => {
    loading ??= options.load().catch((thrown: unknown) => {
      // What kept it from loading, such as a full disk, may pass.
      loading = null;
      throw thrown;
    });
    return loading;
  };

  const run = async (id: number, name: string, input: unknown): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const handler = (await handlers())[name];
      if (handler === undefined) throw new AppError('INTERNAL', `The engine has no task ${name}.`);
      send({ kind: 'done', id, output: await handler(input, { signal: controller.signal }) });
    } catch (thrown) {
      const log = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      send({ kind: 'failed', id, error: toAppError(thrown).toBody(), log });
    } finally {
      running.delete(id);
    }
  };

  const receive = (message: EngineMessage): void => {
    if (message.kind === 'run') void run(message.id, message.name, message.input);
    else if (message.kind === 'ping') send({ kind: 'pong' });
    else if (message.kind === 'cancel') running.get(message.id)?.abort();
    else if (message.kind === 'stop') {
      for (const controller of running.values()) controller.abort();
      void options.onStop().then(options.onClose);
    }
  };

  socket.on('data', (chunk: Buffer) => {
    for (const message of reader.push(chunk)) receive(message);
  });
  socket.on('close', options.onClose);
  socket.on('error', options.onClose);
  send({ kind: 'ready', pid: process.pid });
}
