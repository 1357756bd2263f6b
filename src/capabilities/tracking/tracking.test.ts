import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { eachDatabase } from '../../../test/dialects.ts';
import { ManualClock } from '../../app/testing.ts';
import { parseFilter } from '../../formats/mlflow/filter.ts';
import { parseOrderBy } from '../../formats/mlflow/order-by.ts';
import { RUNS, RUNS_ORDER } from '../../formats/mlflow/search-specs.ts';
import { MemoryBlobs } from '../../platform/blobs/memory.ts';
import { createEvents } from '../../platform/events/events.ts';
import { silentLog } from '../../platform/log/log.ts';
import { createIds } from '../../platform/system.ts';
import type { Point } from './metrics-store.ts';
import { TrackingService } from './service.ts';

eachDatabase((_dialect, open) => {
  let tracking: TrackingService;
  let experiment: string;

  beforeEach(async () => {
    const db = await open();
    const clock = new ManualClock();
    const folder = await mkdtemp(path.join(tmpdir(), 'mw-tracking-'));
    tracking = new TrackingService({
      db,
      blobs: new MemoryBlobs({ scratchFolder: folder }),
      events: createEvents({ db, clock, log: silentLog }),
      clock,
      ids: createIds(clock),
      versionsOf: () => Promise.resolve([]),
    });
    const made = { name: 'lab', artifactLocation: undefined, tags: [{ key: 'a', value: 'b' }] };
    experiment = String(await tracking.experiments.create(made));
  });

  async function start(name: string, startMs = 1000): Promise<string> {
    const { id } = await tracking.runs.create({
      experiment,
      name,
      user: 'ana',
      startMs,
      tags: [{ key: 'team', value: 'Red' }],
      actor: 'test',
    });
    return id;
  }

  function point(key: string, value: number, step = 0, timestampMs = 0): Point {
    const nothing = { modelId: null, datasetName: null, datasetDigest: null };
    return { key, value, step, timestampMs, ...nothing };
  }

  async function log(id: string, metrics: readonly Point[], params: Record<string, string> = {}) {
    const pairs = Object.entries(params).map(([key, value]) => ({ key, value }));
    await tracking.logging.log(id, { metrics, params: pairs, tags: [] });
  }

  async function names(filter: string, order: readonly string[] = [], limit = 100) {
    const found: string[] = [];
    let from: { segment: number; offset: number } | null = { segment: 0, offset: 0 };
    while (from !== null) {
      const page = await tracking.runs.page({
        experiments: [Number(experiment)],
        view: 'ACTIVE_ONLY',
        clauses: parseFilter(filter, RUNS),
        orders: parseOrderBy(order, RUNS_ORDER),
        from,
        limit,
      });
      found.push(...page.runs.map((run) => run.name));
      from = page.next;
    }
    return found;
  }

  test('a name is taken once, also by an experiment that was deleted', async () => {
    const again = { name: 'lab', artifactLocation: undefined, tags: [] };
    await expect(tracking.experiments.create(again)).rejects.toMatchObject({
      code: 'EXPERIMENT_EXISTS',
    });
    await tracking.experiments.delete(experiment);
    await expect(tracking.experiments.create(again)).rejects.toMatchObject({
      code: 'EXPERIMENT_EXISTS',
    });
    expect((await tracking.experiments.get('0')).name).toBe('Default');
    expect((await tracking.experiments.get(experiment)).tags).toEqual([{ key: 'a', value: 'b' }]);
  });

  test('a batch sent again changes nothing', async () => {
    const id = await start('one');
    const points = Array.from({ length: 1000 }, (_, step) => point('loss', 1 / (step + 1), step));
    await log(id, points);
    await log(id, points);
    const history = await tracking.logging.history({ id, key: 'loss', after: null, limit: 2000 });
    expect(history.map(({ value }) => value)).toEqual(points.map(({ value }) => value));
    const { metrics } = await tracking.runs.get(id);
    expect(metrics).toMatchObject([{ key: 'loss', value: 1 / 1000, step: 999 }]);
  });

  test('the latest value is the one of the last step, whenever it arrives', async () => {
    const id = await start('one');
    await log(id, [point('m', 5, 9), point('m', 7, 3)]);
    await log(id, [point('m', 1, 8)]);
    await log(id, [point('n', Number.NaN, 1)]);
    const { metrics } = await tracking.runs.get(id);
    expect(metrics.map(({ key, value, is_nan }) => [key, value, is_nan])).toEqual([
      ['m', 5, 0],
      ['n', 0, 1],
    ]);
  });

  test('a parameter keeps its value, and nothing of the batch that would change it', async () => {
    const id = await start('one');
    await log(id, [], { lr: '0.1' });
    await log(id, [], { lr: '0.1', depth: '' });
    const changing = log(id, [point('m', 1)], { lr: '0.2', other: 'x' });
    await expect(changing).rejects.toMatchObject({ code: 'PARAM_CHANGED' });
    const { params, metrics } = await tracking.runs.get(id);
    expect(params.map(({ key, value }) => [key, value])).toEqual([
      ['depth', ''],
      ['lr', '0.1'],
    ]);
    expect(metrics).toEqual([]);
  });

  test('a deleted run is not written to', async () => {
    const id = await start('one');
    await tracking.runs.delete(id);
    await expect(log(id, [point('m', 1)])).rejects.toMatchObject({ code: 'RUN_DELETED' });
    await tracking.runs.restore(id);
    await log(id, [point('m', 1)]);
  });

  test('deleting or restoring a run again changes nothing', async () => {
    const id = await start('one');
    await tracking.runs.restore(id);
    for (let times = 0; times < 2; times += 1) await tracking.runs.delete(id);
    expect(await tracking.runs.get(id)).toMatchObject({ lifecycle: 'deleted' });
    for (let times = 0; times < 2; times += 1) await tracking.runs.restore(id);
    expect(await tracking.runs.get(id)).toMatchObject({ lifecycle: 'active' });
  });

  test('runs go and come back with their experiment, those deleted before stay so', async () => {
    const before = await start('before');
    const withIt = await start('with it');
    await tracking.runs.delete(before);
    await tracking.experiments.delete(experiment);
    await expect(log(withIt, [point('m', 1)])).rejects.toMatchObject({ code: 'RUN_DELETED' });
    const lifecycles = async () =>
      Promise.all([before, withIt].map(async (id) => (await tracking.runs.get(id)).lifecycle));
    expect(await lifecycles()).toEqual(['deleted', 'deleted']);
    await tracking.experiments.restore(experiment);
    expect(await lifecycles()).toEqual(['deleted', 'active']);
    await tracking.runs.delete(withIt);
    await tracking.experiments.delete(experiment);
    await tracking.experiments.restore(experiment);
    expect(await lifecycles()).toEqual(['deleted', 'deleted']);
  });

  test('a rename at the same time does not undo the end of a run', async () => {
    const id = await start('one');
    const nothing = { status: undefined, endMs: undefined, name: undefined, actor: 'test' };
    await Promise.all([
      tracking.runs.update(id, { ...nothing, status: 'FINISHED', endMs: 2000 }),
      tracking.runs.update(id, { ...nothing, name: 'two' }),
    ]);
    const changed = { status: 'FINISHED', end_ms: 2000, name: 'two' };
    expect(await tracking.runs.get(id)).toMatchObject(changed);
    expect(await tracking.runs.update(id, nothing)).toMatchObject(changed);
  });

  test('two clients at once lose nothing', async () => {
    const id = await start('one');
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        log(id, [point('m', index, index)], { [`p${index}`]: 'x', shared: 'same' }),
      ),
    );
    const { metrics, params } = await tracking.runs.get(id);
    expect(metrics).toMatchObject([{ value: 19, step: 19 }]);
    expect(params).toHaveLength(21);
  });

  test('searches compare, combine and sort with missing values last', async () => {
    for (const [index, value] of [3, null, 1, Number.NaN, 2].entries()) {
      const id = await start(`r${index}`, 1000 + index);
      const params = { kind: index % 2 === 0 ? 'Tree' : 'x%y' };
      await log(id, value === null ? [] : [point('m', value)], params);
    }
    expect(await names('')).toEqual(['r4', 'r3', 'r2', 'r1', 'r0']);
    expect(await names('', ['metrics.m DESC'], 2)).toEqual(['r0', 'r4', 'r2', 'r3', 'r1']);
    expect(await names('', ['metrics.m'], 1)).toEqual(['r2', 'r4', 'r0', 'r3', 'r1']);
    expect(await names('', ['params.kind', 'metrics.m'])).toEqual(['r2', 'r4', 'r0', 'r3', 'r1']);
    expect(await names('metrics.m >= 2 and params.kind = "Tree"')).toEqual(['r4', 'r0']);
    expect(await names('metrics.m >= 1.5', ['metrics.m'])).toEqual(['r4', 'r0']);
    expect(await names("params.kind ILIKE 'TREE'")).toHaveLength(3);
    expect(await names("params.kind LIKE 'tree'")).toEqual([]);
    expect(await names("params.kind LIKE 'x\\%y'")).toEqual([]);
    expect(await names("tags.team = 'Red' and params.none IS NULL")).toHaveLength(5);
    expect(await names('start_time > 1002.5')).toEqual(['r4', 'r3']);
    expect(await names("run_name IN ('r1', 'r2')".replace('run_name', 'run_id'))).toEqual([]);
  });

  test('pages of a search follow one another without a gap', async () => {
    const ids = [];
    for (let index = 0; index < 30; index += 1) ids.push(await start(`r${index}`, index));
    await Promise.all(
      ids.map((id, index) => log(id, [point('m', index)], { p: String(index % 3) })),
    );
    const expected = Array.from({ length: 10 }, (_, index) => `r${27 - 3 * index}`);
    expect(await names("params.p = '0'", ['metrics.m DESC'], 4)).toEqual(expected);
    expect(await names("params.p = '0' and metrics.m < 1000", [], 4)).toEqual(expected);
  });

  test('a search over several experiments finds the runs of each', async () => {
    const made = { name: 'other', artifactLocation: undefined, tags: [] };
    const other = await tracking.experiments.create(made);
    const id = await start('here');
    await log(id, [point('m', 1)]);
    const { runs } = await tracking.runs.page({
      experiments: [other, Number(experiment)],
      view: 'ACTIVE_ONLY',
      clauses: parseFilter('metrics.m > 0', RUNS),
      orders: parseOrderBy(['metrics.m'], RUNS_ORDER),
      from: { segment: 0, offset: 0 },
      limit: 10,
    });
    expect(runs.map((run) => run.name)).toEqual(['here']);
  });

  test('a curve keeps the end of a run, however many points one step has', async () => {
    const many = await start('many');
    const few = await start('few');
    const atOneStep = Array.from({ length: 1000 }, (_, index) => point('m', index, 5, index));
    await log(many, atOneStep);
    await log(many, [point('m', 1, 6), point('m', 2, 9)]);
    await log(few, [point('m', 3, 0), point('m', 4, 5), point('m', 5, 8)]);
    const curve = async (perRun: number, from: number | null = null, to: number | null = null) => {
      const query = { ids: [many, few, many], key: 'm', from, to, perRun };
      return (await tracking.logging.interval(query)).map(({ points }) => points);
    };
    const [first, second] = await curve(320);
    expect(first!.filter(({ step }) => step === 5).map(({ value }) => value)).toEqual(
      Array.from({ length: 100 }, (_, index) => 900 + index),
    );
    expect(new Set(first!.map(({ step }) => step))).toEqual(new Set([5, 6, 9]));
    expect(second!.map(({ step }) => step)).toEqual([0, 5, 8]);
    const [, thinned] = await curve(2);
    expect(thinned!.map(({ step }) => step)).toEqual([0, 8]);
    const [, bounded] = await curve(320, 1, 7);
    expect(bounded!.map(({ step }) => step)).toEqual([5]);
    const [, nothing] = await curve(320, 100, 200);
    expect(nothing).toEqual([]);
  });

  test('files have paths, folders and content, and end with what they stand for', async () => {
    const { artifacts } = tracking;
    const bytes = (text: string) => new TextEncoder().encode(text);
    await artifacts.put('1/r/artifacts/a/b.txt', bytes('one'));
    await artifacts.put('1/r/artifacts/a/b.txt', bytes('two'));
    await artifacts.put('1/r/artifacts/c.txt', bytes('three'));
    const list = async (folder: string) =>
      (await artifacts.list(folder, { after: null, limit: 10 })).map(({ name }) => name);
    expect(await list('1/r/artifacts')).toEqual(['a', 'c.txt']);
    expect(await artifacts.readText('1/r/artifacts/a/b.txt', 100)).toBe('two');
    const refused = [
      '1/r/artifacts/a',
      '1/r/artifacts/c.txt/d',
      'registered-models/m/1/model.onnx',
    ];
    for (const file of refused) {
      const put = artifacts.put(file, bytes('x'));
      await expect(put).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
    expect((await artifacts.filesBelow('1/r')).map((file) => file.path)).toEqual([
      'artifacts/c.txt',
      'artifacts/a/b.txt',
    ]);
    await artifacts.delete('1/r/artifacts/a');
    expect(await list('1/r/artifacts')).toEqual(['c.txt']);
    await expect(artifacts.open('1/r/artifacts/a/b.txt')).rejects.toMatchObject({
      code: 'ARTIFACT_NOT_FOUND',
    });
  });

  test('logged models are found by what they are and what was measured of them', async () => {
    const id = await start('one');
    const make = async (name: string, auc: number) => {
      const model = await tracking.loggedModels.create({
        experiment,
        name,
        modelType: 'tree',
        sourceRunId: id,
        params: [{ key: 'depth', value: '3' }],
        tags: [],
      });
      const measured = { ...point('auc', auc), modelId: model.id, datasetName: 'test' };
      await log(id, [measured]);
      return model.id;
    };
    await make('low', 0.6);
    const high = await make('high', 0.9);
    await tracking.loggedModels.finalize(high, 'LOGGED_MODEL_READY');
    const found = await tracking.loggedModels.search({
      experiments: [experiment],
      clauses: parseFilter("metrics.auc > 0.5 and params.depth = '3'", RUNS),
      datasets: [{ name: 'test', digest: null }],
      orders: [
        {
          entity: 'metric',
          key: 'auc',
          isAscending: false,
          datasetName: null,
          datasetDigest: null,
        },
      ],
      offset: 0,
      limit: 10,
    });
    expect(found.map(({ name, status }) => [name, status])).toEqual([
      ['high', 'LOGGED_MODEL_READY'],
      ['low', 'LOGGED_MODEL_PENDING'],
    ]);
    await tracking.loggedModels.delete(high);
    await expect(tracking.loggedModels.get(high)).rejects.toMatchObject({
      code: 'LOGGED_MODEL_NOT_FOUND',
    });
  });
});
