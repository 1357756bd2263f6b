import { mkdirSync } from 'node:fs';
import type { Ids } from '../base/ids.ts';
import type { Clock } from '../base/time.ts';
import { WorkspaceStore } from '../capabilities/workspace/store.ts';
import { FsBlobs } from '../platform/blobs/fs.ts';
import type { Blobs } from '../platform/blobs/port.ts';
import type { Config } from '../platform/config/config.ts';
import { migrate } from '../platform/db/migrator.ts';
import { migrations } from '../platform/db/migrations/index.ts';
import type { Db } from '../platform/db/port.ts';
import { DomainClock } from '../platform/domain-clock.ts';
import type { RunningEngine } from '../platform/engine/port.ts';
import { createEvents } from '../platform/events/events.ts';
import type { Events } from '../platform/events/port.ts';
import type { Connections } from '../platform/http/connections.ts';
import { faultsFromEnv, type Faults } from '../platform/fault-points.ts';
import { OnnxInference } from '../platform/inference/onnx.ts';
import type { Inference } from '../platform/inference/port.ts';
import { Journal } from '../platform/journal/journal.ts';
import type { KvReader } from '../platform/kv/port.ts';
import type { Log } from '../platform/log/log.ts';
import { createOutbox } from '../platform/outbox/outbox.ts';
import type { Outbox } from '../platform/outbox/port.ts';
import { createWebhook } from '../platform/outbox/webhook.ts';
import { takeOwnerLock, type OwnerLock } from '../platform/state/owner-lock.ts';
import {
  assertFormatKnown,
  openFormat,
  stateFolder,
  type StateFolder,
} from '../platform/state/state-folder.ts';
import type { Timers } from '../platform/timers/port.ts';
import { createTimers } from '../platform/timers/timers.ts';
import { processEnv } from '../platform/system.ts';
import { dropCuts, type Snapshot } from './backup/state-cuts.ts';
import { openDatabase, type OpenedDatabase } from './open-database.ts';
import { recordCircuit } from './record-circuit.ts';
import { openConnections } from './open-connections.ts';
import { openWorkspace } from './open-workspace.ts';
import { programVersion } from './program.ts';

/** What the machine gives, replaceable in tests. */
export interface Machine {
  readonly clock: Clock;
  readonly createIds: (clock: Clock) => Ids;
  readonly log: Log;
  /** Starts the engine and opens for reading the online store that it writes. */
  readonly startEngine: (folder: StateFolder) => Promise<EngineAndIndex>;
}

export interface EngineAndIndex {
  readonly engine: RunningEngine;
  readonly index: KvReader;
}

export interface Platform extends EngineAndIndex {
  readonly folder: StateFolder;
  readonly lock: OwnerLock;
  readonly workspaceStore: WorkspaceStore;
  readonly name: string;
  readonly clock: DomainClock;
  readonly ids: Ids;
  readonly log: Log;
  readonly faults: Faults;
  readonly db: Db;
  readonly snapshot: Snapshot;
  readonly connections: Connections;
  readonly blobs: Blobs;
  readonly journal: Journal;
  readonly events: Events;
  readonly timers: Timers;
  readonly outbox: Outbox;
  readonly inference: Inference;
}

/**
 * Takes the state folder and opens everything on it; each part registers its closing with
 * `closing`, which runs them in reverse.
 */
export async function openPlatform(
  config: Config,
  machine: Machine,
  closing: AsyncDisposableStack,
): Promise<Platform> {
  const { log } = machine;
  const folder = stateFolder(config.stateFolder);
  const faults = faultsFromEnv(processEnv['MILLWRIGHT_FAULT']);
  const lock = takeOwnerLock(folder.root);
  closing.defer(() => lock.release());
  assertFormatKnown(folder, programVersion);
  mkdirSync(folder.temporary, { recursive: true });
  await dropCuts(folder);

  const { clock: wall } = machine;
  const { db, own, snapshot } = await openMetadata({ config, folder, log, clock: wall }, closing);
  const workspaceStore = new WorkspaceStore(db);
  const workspace = await openWorkspace({
    store: workspaceStore,
    folder,
    dialect: db.dialect,
    config,
    clock: machine.clock,
    ids: machine.createIds(machine.clock),
  });
  closing.defer(await own(workspace.id));
  const clock = new DomainClock(machine.clock, workspace.clock === 'replay' ? workspace.now : null);
  const ids = machine.createIds(clock);
  const events = createEvents({ db, clock, log });
  closing.defer(() => events.close());
  const timers = createTimers({ db, clock, ids, events, settle: () => events.settled(), log });
  closing.defer(() => timers.stop());
  const outbox = createOutbox({ db, clock, events, log });
  closing.defer(() => outbox.stop());
  outbox.handle('webhook', createWebhook());
  const { engine, index } = await machine.startEngine(folder);
  closing.defer(() => engine.stop());
  recordCircuit(engine, { events, log });
  closing.defer(() => index.close());
  const journal = await openJournal(config, { folder, log, faults });
  closing.defer(() => journal.close());
  const inference = new OnnxInference({ log });
  closing.defer(() => inference.close());
  return {
    folder,
    lock,
    connections: openConnections({ events, clock, log }),
    workspaceStore,
    name: workspace.name,
    clock,
    ids,
    log,
    faults,
    db,
    snapshot,
    blobs: new FsBlobs({ folder: folder.artifacts }),
    index,
    journal,
    events,
    timers,
    outbox,
    inference,
    engine,
  };
}

/** The database in this program's form, and the folder's layout too. */
async function openMetadata(
  on: Parameters<typeof openDatabase>[0],
  closing: AsyncDisposableStack,
): Promise<OpenedDatabase> {
  const { folder, clock, log } = on;
  const database = await openDatabase(on);
  const { db, backup } = database;
  closing.defer(() => db.close());
  await openFormat({ folder, programVersion, migrations: [], backup });
  await migrate({ db, migrations, clock, log, beforeUpgrade: backup });
  return database;
}

function openJournal(
  { journalBytesMax }: Config,
  on: { readonly folder: StateFolder; readonly log: Log; readonly faults: Faults },
): Promise<Journal> {
  const { folder, log, faults } = on;
  const limit = journalBytesMax === null ? {} : { bytesMax: journalBytesMax };
  return Journal.open({ folder: folder.journal, writer: 'main', log, faults, ...limit });
}
