import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eachDatabase } from '../../../test/dialects.ts';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { micros } from '../../base/time.ts';
import type { Db } from '../../platform/db/port.ts';
import type { Engine } from '../../platform/engine/port.ts';
import { createEvents } from '../../platform/events/events.ts';
import type { Events } from '../../platform/events/port.ts';
import { silentLog } from '../../platform/log/log.ts';
import { appendRows, createTable } from '../tables/contract.ts';
import { TablesService } from '../tables/service.ts';
import { TablesStore } from '../tables/store.ts';
import type { CompiledService } from './compiled.ts';
import type { TrainingVersion } from './contract.ts';
import { FLIGHT_TABLES, flightSections } from './flights-definitions.ts';
import { featuresPlan } from './plan.ts';
import { FeaturesStore } from './store.ts';
import type { FeaturesTasks } from './tasks.ts';

/** Tables and engine of a real app; definitions on both databases. */
let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
  for (const [name, columns] of Object.entries(FLIGHT_TABLES)) {
    const body = { namespace: 'default', name, columns: [...columns] };
    await app.api.call(createTable, { body });
  }
  await zones('default', 'airports', '{"iata":"ORD","zone":"America/Chicago"}');
  for (const [name, rows] of [
    ['unknown', '{"iata":"ORD","zone":"Mars/Olympus"}'],
    ['twice', '{"iata":"ORD","zone":"UTC"}\n{"iata":"ORD","zone":"Asia/Tokyo"}'],
  ] as const) {
    const body = { namespace: 'lab', name, columns: [...FLIGHT_TABLES.airports] };
    await app.api.call(createTable, { body });
    await zones('lab', name, rows);
  }
});

afterAll(() => app[Symbol.asyncDispose]());

async function zones(namespace: string, name: string, ndjson: string): Promise<void> {
  const bytes = new TextEncoder().encode(ndjson);
  await app.api.call(appendRows, { params: { namespace, name }, query: {} }, { bytes });
}

interface Opened {
  readonly store: FeaturesStore;
  readonly events: Events;
  readonly plan: ReturnType<typeof featuresPlan>;
}

function open(db: Db): Opened {
  const { platform } = app.app;
  const { ids, clock } = platform;
  const engine = platform.engine as unknown as Engine<never>;
  const events = createEvents({ db, clock, log: silentLog });
  const tables = new TablesService({
    store: new TablesStore(platform.db),
    engine,
    events,
    clock,
    ids,
    spoolFolder: app.folder,
  });
  const store = new FeaturesStore(db);
  const tasks = engine as Engine<FeaturesTasks>;
  return { store, events, plan: featuresPlan({ store, tables, engine: tasks, events, clock }) };
}

const summaries = (changes: readonly { action: string; kind: string; name: string }[]) =>
  changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`);

eachDatabase((_, openDatabase) => {
  describe('the plan of feature definitions', () => {
    it('creates what is declared, once, and tells of it', async () => {
      const { plan, store, events } = open(await openDatabase());
      const sections = flightSections();
      const planned = await plan.plan(sections);
      expect(summaries(planned)).toEqual([
        'create source departures',
        'create source landings',
        'create entity origin',
        'create entity destination',
        'create entity route',
        'create view origin_delays',
        'create view destination_delays',
        'create view route_delays',
        'create service late_v1',
        'create label late',
        'create training set late_train',
      ]);
      expect(await store.current()).toEqual([]);
      expect(await plan.apply(sections, 'ada')).toEqual(planned);
      expect(await plan.apply(sections, 'ada')).toEqual([]);
      const told = await events.list({ subject: 'features', limit: 10 });
      expect(told.map(({ kind, actor }) => [kind, actor])).toEqual([['features.applied', 'ada']]);
      const service = await store.find<CompiledService>('service', 'late_v1');
      expect(service?.body.compiled.zones).toEqual({ origin: { ORD: 'America/Chicago' } });
      expect(service?.hash).toBe(service?.body.compiled.hash);
      await events.close();
    });

    it('changes what rests on a changed view, and keeps the former definition', async () => {
      const { plan, store, events } = open(await openDatabase());
      const sections = flightSections();
      await plan.apply(sections, 'ada');
      const former = await store.find<CompiledService>('service', 'late_v1');
      sections['views']!['origin_delays']!['windows'] = ['2h', '1d', '14d', '30d'];
      const changed = await plan.apply(sections, 'ada');
      expect(changed.map(({ kind, name, summary }) => [kind, name, summary])).toEqual([
        ['view', 'origin_delays', 'windows [2h,1d,7d,30d] -> [2h,1d,14d,30d]'],
        ['service', 'late_v1', 'what it rests on changed'],
        ['training set', 'late_train', 'what it rests on changed'],
      ]);
      const kept = await store.findByHash<CompiledService>('service', 'late_v1', former!.hash);
      expect(kept?.compiled).toEqual(former?.body.compiled);
      expect((await store.find('service', 'late_v1'))?.hash).not.toBe(former!.hash);
      await plan.apply(flightSections(), 'ada');
      expect((await store.find('service', 'late_v1'))?.hash).toBe(former!.hash);
      await events.close();
    });

    it('takes out of force what is no longer declared', async () => {
      const { plan, store, events } = open(await openDatabase());
      await plan.apply(flightSections(), 'ada');
      const { sources, entities, views } = flightSections();
      const removed = await plan.apply({ sources, entities, views }, 'ada');
      expect(summaries(removed)).toEqual([
        'remove label late',
        'remove service late_v1',
        'remove training set late_train',
      ]);
      expect(await store.find('service', 'late_v1')).toBeNull();
      const listed = await store.list('view', { after: 'destination_delays', limit: 5 });
      expect(listed.map(({ name }) => name)).toEqual(['origin_delays', 'route_delays']);
      await events.close();
    });

    it('keeps training versions by number and by build', async () => {
      const { store, events } = open(await openDatabase());
      const version = (number: number) =>
        ({ name: 'late_train', version: number, createdBy: 'ada' }) as TrainingVersion;
      const now = micros(1000);
      const times = { now, wall: now, events: [] };
      const open1 = { build: 'b', isSettled: false, version: version(1) };
      await store.insertVersion(open1, times);
      await expect(store.insertVersion(open1, times)).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await store.findBuild('late_train', 'b', now)).toMatchObject({ version: 1 });
      expect(await store.findBuild('late_train', 'b', micros(2000))).toBeNull();
      await store.insertVersion({ build: 'b', isSettled: true, version: version(2) }, times);
      expect(await store.findBuild('late_train', 'b', micros(2000))).toMatchObject({ version: 2 });
      const page = await store.versions('late_train', { before: 2, limit: 10 });
      expect(page.map((one) => one.version)).toEqual([1]);
      await events.close();
    });
  });

  describe('a declaration is refused', () => {
    const zoned = (table: string) => ({
      keys: { origin: 'string' },
      time_zone: { table, key: 'iata', value: 'zone' },
    });
    it.each([
      ['sources', 'landings', { table: 'landing' }, 'There is no table default.landing.', 'table'],
      ['entities', 'origin', zoned('lab.unknown'), 'Mars/Olympus, is none', 'time_zone'],
      ['entities', 'origin', zoned('lab.twice'), 'two zones for ORD', 'time_zone'],
      ['entities', 'route', { ...zoned('airports').time_zone }, 'Unrecognized keys', 'table'],
    ])('%s.%s %j', async (section, name, change, message, key) => {
      const { plan, store, events } = open(await openDatabase());
      const sections = flightSections();
      Object.assign(sections[section]![name]!, change);
      await expect(plan.apply(sections, 'ada')).rejects.toMatchObject({
        code: 'INVALID_CONFIG',
        message: expect.stringContaining(message) as string,
        details: { path: [section, name, key] },
      });
      expect(await store.current()).toEqual([]);
      await events.close();
    });
  });
});
