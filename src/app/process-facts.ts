import type { Health, Status } from '../capabilities/workspace/contract.ts';
import type { ProcessFacts } from '../capabilities/workspace/service.ts';
import type { PredictionLog } from '../capabilities/predictions/log.ts';
import { toAppError } from '../base/errors.ts';
import type { RunningEngine } from '../platform/engine/port.ts';
import { cureOf, troubleText } from '../platform/engine/trouble.ts';
import type { Platform } from './open-platform.ts';
import { programVersion } from './program.ts';

type Component = Health['components'][number];

/** What this process can tell of itself and of the parts it depends on. */
export function processFacts(platform: Platform, log: PredictionLog): ProcessFacts {
  const { engine, clock } = platform;
  const startedAt = clock.wall();
  return {
    name: platform.name,
    version: programVersion,
    startedAt,
    stateFolder: platform.folder.root,
    database: platform.db.dialect,
    pid: process.pid,
    residentBytes: () => process.memoryUsage.rss(),
    engine: () => engineFacts(engine),
    components: async () => [
      await database(platform),
      engineState(platform),
      predictionLog(log),
      await connectionsState(platform),
    ],
  };
}

async function database(platform: Platform): Promise<Component> {
  const { db } = platform;
  try {
    await platform.events.latest();
    return { name: 'database', status: 'ok', detail: db.dialect };
  } catch (thrown) {
    return { name: 'database', status: 'down', detail: toAppError(thrown).message };
  }
}

function engineFacts({ state, pid, restarts, trouble }: RunningEngine): Status['engine'] {
  const known = { state, pid, restarts };
  return trouble === null
    ? known
    : { ...known, trouble: { ...trouble, during: [...trouble.during] } };
}

function engineState({ engine }: Platform): Component {
  const { state, restarts, trouble } = engine;
  const isUp = state === 'ready' || state === 'starting';
  const detail =
    trouble === null
      ? `${state}, ${restarts} restarts`
      : `${state}: ${troubleText(trouble)}. ${cureOf(trouble)}`;
  return { name: 'engine', status: isUp ? 'ok' : 'down', detail };
}

/**
 * Answers are journaled until the journal is full; down means that they wait for their tables, or
 * that requests are refused.
 */
function predictionLog(log: PredictionLog): Component {
  const { lastFlushError, room, unflushedBytes, unflushedBytesMax } = log.status();
  const held = `the journal holds ${unflushedBytes} of ${unflushedBytesMax} bytes`;
  const name = 'prediction log';
  if (room === 'full') {
    return { name, status: 'down', detail: `requests are refused: ${held}; ${lastFlushError}` };
  }
  if (lastFlushError !== null) return { name, status: 'down', detail: lastFlushError };
  return room === 'filling' ? { name, status: 'ok', detail: held } : { name, status: 'ok' };
}

/** Down while new ones are refused: whoever asks has one already. */
async function connectionsState({ connections }: Platform): Promise<Component> {
  const { max, dropped } = connections;
  const open = await connections.countOpen();
  const refused = dropped === 0 ? '' : `; ${dropped} were refused since the start`;
  const detail = `${open} of ${max} are open${refused}`;
  return { name: 'connections', status: open < max ? 'ok' : 'down', detail };
}
