import { expect } from 'vitest';
import { ndjson, openLake, type Lake } from './lake.ts';
import { micros, MICROS_PER_SECOND, type Clock, type Micros } from '../../src/base/time.ts';
import { noFaults } from '../../src/platform/fault-points.ts';
import { MemoryKv } from '../../src/platform/kv/memory.ts';
import { systemClock } from '../../src/platform/system.ts';
import type { CompiledService } from '../../src/capabilities/features/compiled.ts';
import { FLIGHT_TABLES } from '../../src/capabilities/features/flights-definitions.ts';
import { FeatureIngest, type IngestInput } from '../../src/capabilities/features/ingest.ts';
import { naiveVector } from '../../src/capabilities/features/naive.ts';
import { OnlineFeatures } from '../../src/capabilities/features/online-features.ts';
import { flightService, LANDINGS, naiveEvents, type Landing } from './landings.ts';

export const DAY = 24 * 3600 * MICROS_PER_SECOND;
export const START = Date.parse('2001-02-01T00:00:00Z') * 1000;
export const NOW = micros(START + 40 * DAY);

/** A lake with landings, and an online store that is kept up with it. */
export class Flights {
  readonly kv = new MemoryKv();
  readonly lake: Lake;
  readonly service: CompiledService;
  readonly ingest: FeatureIngest;
  rows: Landing[] = [];

  constructor(lake: Lake, service: CompiledService) {
    this.lake = lake;
    this.service = service;
    this.ingest = this.another(this.kv);
  }

  another(kv: MemoryKv, clock: Pick<Clock, 'elapsed'> = systemClock): FeatureIngest {
    const { analytics, tables } = this.lake;
    return new FeatureIngest({ tables, analytics, kv, clock, faults: noFaults });
  }

  async append(rows: readonly Landing[]): Promise<void> {
    await this.lake.tables.append({ ...LANDINGS, ndjson: ndjson(...rows) });
    this.rows = [...this.rows, ...rows];
  }

  async take(input: Partial<IngestInput> = {}, ingest = this.ingest): Promise<void> {
    const { signal } = new AbortController();
    for (;;) {
      const views = this.service.views;
      const outcome = await ingest.run({ views, now: NOW, ...input }, signal);
      expect(outcome.failures).toEqual([]);
      if (outcome.done) return;
    }
  }

  online(inputs: Readonly<Record<string, string | number>>, at: Micros) {
    return new OnlineFeatures({ kv: this.kv }).resolve(this.service).read(inputs, at);
  }

  naive(inputs: Readonly<Record<string, string | number>>, time: number): (number | null)[] {
    return naiveVector(this.service, () => naiveEvents(this.rows), { inputs, time });
  }
}

/** An empty lake and store. */
export async function flights(service = flightService()): Promise<Flights> {
  const lake = await openLake();
  await lake.tables.create(LANDINGS, FLIGHT_TABLES.landings);
  return new Flights(lake, service);
}
