import { AcknowledgedChanges } from './acknowledged-changes.ts';
import { HttpClient } from './http-client.ts';
import type { Ledger } from './ledger.ts';
import type { Seeded } from './seeded.ts';
import type { Server } from './server-process.ts';
import { sleep, systemClock } from '../../src/platform/system.ts';

export type Change = 'flush' | 'route' | 'model';

export interface TrafficOptions {
  readonly ledger: Ledger;
  readonly random: Seeded;
  /** Clients that send one request after the other. */
  readonly connections: number;
  /** What else happens meanwhile, one after the other. */
  readonly changes: {
    readonly acknowledged: AcknowledgedChanges;
    readonly mostly: Change;
  } | null;
  readonly isOver: () => boolean;
}

/** Small enough for many requests under way, large enough that two cores serve two suites. */
const REQUEST_PAUSE_MS_MAX = 8;
const CHANGE_PAUSE_MS_MAX = 5;
/** Share of the changes that are not what mostly happens. */
const OTHER_CHANGES = 0.3;

/** Sends requests until it is over or the server is gone; rejects when an answer is wrong. */
export async function drive(server: Server, options: TrafficOptions): Promise<void> {
  const { ledger, random, connections, changes, isOver } = options;
  const client = new HttpClient(server.url, { connections });
  const control = new HttpClient(server.url, { connections: 1 });
  const repeat = async (action: () => Promise<void>): Promise<void> => {
    while (server.isRunning && !isOver()) {
      try {
        await action();
      } catch (thrown) {
        if (isConnectionLost(thrown)) return;
        throw thrown;
      }
    }
  };
  const clients = Array.from({ length: connections }, () =>
    repeat(async () => {
      await sleep(random.int(0, REQUEST_PAUSE_MS_MAX));
      await ledger.infer(client, random);
    }),
  );
  const others =
    changes === null
      ? Promise.resolve()
      : repeat(async () => {
          await sleep(random.int(0, CHANGE_PAUSE_MS_MAX));
          await change(control, { ledger, random, ...changes });
        });
  try {
    await Promise.all([...clients, others]);
  } finally {
    client.close();
    control.close();
  }
}

async function change(
  client: HttpClient,
  by: {
    readonly ledger: Ledger;
    readonly random: Seeded;
    readonly acknowledged: AcknowledgedChanges;
    readonly mostly: Change;
  },
): Promise<void> {
  const { ledger, random, acknowledged, mostly } = by;
  const others = ['flush', 'route', 'model', 'label'] as const;
  const kind = random.next() < OTHER_CHANGES ? random.pick(others) : mostly;
  if (kind === 'flush') await flush(client);
  else if (kind === 'model') await acknowledged.register(client, random);
  else if (kind === 'label') await ledger.label(client, random);
  else if (random.next() < 0.7) await acknowledged.deploy(client, random);
  else await acknowledged.rollBack(client);
}

/** Asking for a request nobody knows puts the journal into the tables first. */
export async function flush(client: HttpClient): Promise<void> {
  await client.call({ path: '/api/v1/trace/nobody-knows-this' });
}

export function isConnectionLost(thrown: unknown): boolean {
  const { code, message } = thrown as { code?: string; message?: string };
  const isClosed = code === 'ECONNRESET' || code === 'ECONNREFUSED' || code === 'EPIPE';
  return isClosed || message === 'the answer was cut off';
}

/** A condition that holds `ms` from now on. */
export function isOverIn(ms: number): () => boolean {
  const end = systemClock.elapsed() + ms;
  return () => systemClock.elapsed() >= end;
}
