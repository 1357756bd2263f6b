import { cpSync } from 'node:fs';
import { expect } from 'vitest';
import { FAULT_POINTS, type FaultPoint } from '../../src/platform/fault-points.ts';
import { AcknowledgedChanges } from './acknowledged-changes.ts';
import { HttpClient } from './http-client.ts';
import { Ledger } from './ledger.ts';
import { checkListed } from './listed-predictions.ts';
import { ENDPOINT } from './prepared-state.ts';
import type { Seeded } from './seeded.ts';
import { processesOf, startServer, until, type Server } from './server-process.ts';
import { storedLabels, storedPredictions } from './stored-records.ts';
import { drive, type Change } from './traffic.ts';

/** Which process dies at a point, and what happens right before it. */
type FaultOwner =
  | 'journal'
  | 'change'
  | 'engine'
  | 'compaction'
  | 'ingest'
  | 'labels'
  | 'step'
  | 'training'
  | 'loop';

export const FAULTS: Readonly<Record<FaultPoint, FaultOwner>> = {
  'journal.before-write': 'journal',
  'journal.after-write': 'journal',
  'journal.segment-created': 'journal',
  'journal.segment-sealed': 'journal',
  'flush.before-append': 'engine',
  'flush.before-commit': 'engine',
  'flush.after-commit': 'engine',
  'flush.before-index': 'engine',
  'flush.before-unlink': 'engine',
  'compaction.after-write': 'compaction',
  'compaction.before-commit': 'compaction',
  'compaction.after-commit': 'compaction',
  'labels.before-append': 'labels',
  'labels.after-append': 'labels',
  'ingest.before-apply': 'ingest',
  'ingest.after-apply': 'ingest',
  'ingest.filled': 'ingest',
  'ingest.before-promote': 'ingest',
  'route.before-commit': 'change',
  'route.after-commit': 'change',
  'model.after-blob': 'change',
  'model.after-commit': 'change',
  'training.after-sweep': 'training',
  'training.before-commit': 'training',
  'training.after-commit': 'training',
  'step.after-attempt': 'step',
  'step.before-spawn': 'step',
  'step.after-spawn': 'step',
  'step.after-running': 'step',
  'step.after-exit': 'step',
  'step.after-manifest': 'step',
  'step.before-transition': 'step',
  'step.after-transition': 'step',
  'loop.after-start': 'loop',
  'loop.before-decision': 'loop',
  'loop.after-decision': 'loop',
  'loop.after-deploy': 'loop',
  'loop.after-promote': 'loop',
  'loop.after-rollback': 'loop',
};

export function pointsOf(owner: FaultOwner): readonly FaultPoint[] {
  return FAULT_POINTS.filter((point) => FAULTS[point] === owner);
}

/** Runs a point is tried with, each with load and timing of its own. */
export const SEEDS = 20;

const CONNECTIONS_MAX = 4;

/** A state folder's life: processes that die on it one after the other, and what they had said. */
export class Life {
  readonly state: string;
  readonly acknowledged = new AcknowledgedChanges();
  readonly ledger: Ledger;

  constructor(prepared: string, state: string) {
    this.state = state;
    cpSync(prepared, state, { recursive: true });
    this.ledger = new Ledger();
  }

  /** Requests and changes at once, until it is over or the server is gone. */
  async drive(
    server: Server,
    random: Seeded,
    by: { readonly mostly: Change; readonly isOver: () => boolean },
  ): Promise<void> {
    const { ledger, acknowledged } = this;
    const changes = { acknowledged, mostly: by.mostly };
    const connections = random.int(1, CONNECTIONS_MAX);
    await drive(server, { ledger, changes, random, connections, isOver: by.isOver });
  }

  /** Holds the files against what was answered, while no process has them. */
  async checkFiles(): Promise<void> {
    await until('the engine is gone too', () => processesOf(this.state).length === 0);
    this.ledger.check(await storedPredictions(this.state, ENDPOINT));
    this.ledger.checkLabels(await storedLabels(this.state, ENDPOINT));
  }

  /** Starts it once more and looks through the API, then at the files. */
  async end(): Promise<void> {
    const server = await startServer({ state: this.state });
    const client = new HttpClient(server.url);
    await checkListed(client, this.ledger);
    await this.acknowledged.check(client);
    client.close();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    await this.checkFiles();
  }
}
