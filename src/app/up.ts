import type { Config } from '../platform/config/config.ts';
import type { Sink } from '../platform/cli/output.ts';
import { createLog } from '../platform/log/log.ts';
import { systemClock } from '../platform/system.ts';
import { writeSchema } from './config-schema.ts';
import { realMachine } from './machine.ts';
import { createApp } from './create-app.ts';
import { stopSignal } from './stop-signal.ts';

/** Runs the server until a signal asks it to stop; resolves when it has stopped. */
export async function up(config: Config, sink: Sink): Promise<void> {
  const start = systemClock.elapsed();
  const log = createLog({ level: config.logLevel });
  const app = await createApp(config, realMachine(log));
  try {
    const url = await app.listen();
    await writeSchema(config.stateFolder);
    const ms = Math.round(systemClock.elapsed() - start);
    sink.write(`Millwright is ready at ${url}   (${ms} ms; Ctrl-C stops)\n`);
    await stopSignal();
    sink.write('stopping...\n');
  } finally {
    await app.stop();
  }
}
