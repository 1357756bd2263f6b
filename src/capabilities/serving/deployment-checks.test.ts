import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  openServedFlights,
  originOf,
  type ServedFlights,
} from '../../../test/contracts/served-flights.ts';
import { micros } from '../../base/time.ts';
import { getEndpoint, listRevisions, type DeploymentCheck } from './contract.ts';
import type { FeatureDefinition, TrainingRow } from './served-features.ts';
import type { VersionOrigin } from './version-origin.ts';

let rig: ServedFlights;

beforeEach(async () => {
  rig = await openServedFlights();
  await rig.register();
});

afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

function comesFrom(origin: Partial<VersionOrigin>): void {
  rig.origin = { ...originOf(rig.features), ...origin };
}

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly details: { readonly checks: readonly DeploymentCheck[] };
}

async function refusal(deployed: Promise<unknown> = rig.deploy(1)): Promise<Refusal> {
  return deployed.then(
    () => {
      throw new Error('It was deployed.');
    },
    (error: unknown) => error as Refusal,
  );
}

function definition(window: string, aggregate = 'avg'): FeatureDefinition {
  const aggregates = [{ name: 'late', function: aggregate, sql: 'late' }];
  const view = { name: 'origin_delays', source: { name: 'landings' }, keys: [{ name: 'origin' }] };
  return {
    views: [{ ...view, windows: [{ name: window }], aggregates }],
    features: [{ name: `origin_delays__late_${window}` }],
  };
}

/** As many rows as wanted, a second apart, that are served as they were trained on. */
function rows(count: number): readonly TrainingRow[] {
  return Array.from({ length: count }, (_, index) => ({
    inputs: { origin: 'ORD', distance: index, ratio: 0, night: false },
    at: micros(index * 1_000_000),
    values: [index, 1, 0],
  }));
}

function golden(predictions: readonly number[]): VersionOrigin['golden'] {
  const columns = ['id', 'time', 'missing', 'distance', 'is_ord', 'prediction'];
  const data = predictions.map((prediction, index) => [`g${index}`, 't', 0, index, 1, prediction]);
  return () => Promise.resolve({ columns, data });
}

describe('a version', () => {
  test('trained on the newest definition takes traffic, and its revision says why', async () => {
    comesFrom({
      columns: ['distance', 'is_ord', 'missing'],
      trainingSet: { name: 'late_train', version: 3 },
      golden: golden([10, 11, 12]),
    });
    rig.features.training = rows(120);
    const { features, evidence } = await rig.deploy(1);
    expect(features).toEqual({ service: 'late_v1', definition: rig.features.current });
    expect(evidence.map(({ name, result }) => [name, result])).toEqual([
      ['definition', 'passed'],
      ['signature', 'passed'],
      ['golden', 'passed'],
      ['consistency', 'passed'],
    ]);
    expect(evidence[2]?.numbers).toEqual({ requests: 3, maxDelta: 0, flips: 0 });
    expect(evidence[3]?.numbers).toMatchObject({ rows: 120, compared: 120, mismatched: 0 });
    const params = { endpoint: 'late' };
    const stored = await rig.app.api.call(getEndpoint, { params });
    expect(stored.route?.evidence).toEqual(evidence);
    const page = await rig.app.api.call(listRevisions, { params, query: {} });
    expect(page.chainIntact).toBe(true);
  });

  test('whose evidence was altered breaks the chain', async () => {
    const { evidence } = await rig.deploy(1);
    const { db } = rig.app.app.platform;
    const tables = db.queries<{ serving_revisions: { evidence: string } }>();
    const softer = JSON.stringify(evidence.slice(1));
    await db.write([{ query: tables.updateTable('serving_revisions').set({ evidence: softer }) }]);
    const params = { endpoint: 'late' };
    const page = await rig.app.api.call(listRevisions, { params, query: {} });
    expect(page.chainIntact).toBe(false);
  });

  test('trained on the lifetime average is refused a 30-day average, in words', async () => {
    const trained = 'a0'.repeat(32);
    rig.features.definitions.set(trained, definition('lifetime'));
    rig.features.definitions.set(rig.features.current, definition('30d'));
    comesFrom({ definition: trained });
    const { code, message, details } = await refusal();
    expect(code).toBe('DEFINITION_SKEW');
    expect(message).toContain('trained on definition a0a0a0a0a0a0');
    expect(message).toContain('late_v1 answers by d1d1d1d1d1d1');
    expect(message).toContain('view origin_delays: windows lifetime in training, 30d in serving');
    expect(details.checks[0]).toMatchObject({ name: 'definition', result: 'refused' });
    const params = { endpoint: 'late' };
    expect((await rig.app.api.call(getEndpoint, { params })).route).toBeNull();
  });

  test('trained on other aggregates is told which', async () => {
    const trained = 'a0'.repeat(32);
    rig.features.definitions.set(trained, definition('30d', 'sum'));
    rig.features.definitions.set(rig.features.current, definition('30d'));
    comesFrom({ definition: trained });
    expect((await refusal()).message).toContain('late is sum(late) in training, avg(late)');
  });

  test('of which nobody knows what it was trained on is refused', async () => {
    rig.origin = null;
    expect(await refusal()).toMatchObject({ code: 'DEFINITION_SKEW' });
    comesFrom({ definition: null });
    expect((await refusal()).message).toContain('comes from run_1, which pins none');
  });

  test('that takes other vectors is refused', async () => {
    await rig.register([1, 2]);
    const { code, message } = await refusal(rig.deploy(2));
    expect(code).toBe('DEPLOYMENT_REFUSED');
    expect(message).toContain('takes x FP32 [-1, 2]; service late_v1 gives one FP32 [-1, 3]');
  });

  test('with columns in another order is refused', async () => {
    comesFrom({ columns: ['is_ord', 'distance', 'missing'] });
    expect((await refusal()).message).toContain('column 1 of late@1 is is_ord');
    comesFrom({ columns: ['distance', 'is_ord'] });
    expect((await refusal()).message).toContain('names 2 columns');
  });
});

describe('golden requests', () => {
  test('that come out otherwise refuse the version, with the numbers', async () => {
    comesFrom({ golden: golden([10, 11.5, 12]) });
    const { message, details } = await refusal();
    expect(message).toContain('3 golden requests: max |Δ| 5.0e-1, 0 decisions flipped');
    expect(details.checks[2]?.numbers).toEqual({ requests: 3, maxDelta: 0.5, flips: 0 });
  });

  test('may differ by the rounding of float32', async () => {
    comesFrom({ golden: golden([10.000_001]) });
    expect((await rig.deploy(1)).evidence[2]).toMatchObject({ result: 'passed' });
  });

  test('count decisions that flip', async () => {
    comesFrom({ golden: golden([0.25]) });
    expect((await refusal()).details.checks[2]?.numbers['flips']).toBe(1);
  });

  test('that nobody recorded are said to be missing', async () => {
    expect((await rig.deploy(1)).evidence[2]).toMatchObject({
      name: 'golden',
      result: 'not_done',
      summary: 'the run has no golden.json to compare answers with',
    });
  });

  test.each([
    ['no table', { rows: [] }, 'no table'],
    ['another table', { columns: ['id', 'prediction'], data: [] }, 'no column distance'],
    [
      'text',
      { columns: ['distance', 'is_ord', 'missing', 'prediction'], data: [[1, 'x', 0, 1]] },
      'row 1',
    ],
  ])('that are %s refuse the version', async (_, value, says) => {
    comesFrom({ golden: () => Promise.resolve(value) });
    expect((await refusal()).message).toContain(says);
  });

  test('are a thousand at most', async () => {
    comesFrom({ golden: golden(Array.from({ length: 1100 }, (_, index) => index + 10)) });
    expect((await rig.deploy(1)).evidence[2]?.numbers['requests']).toBe(1000);
  });
});

describe('rows of the training set', () => {
  const set = { trainingSet: { name: 'late_train', version: 3 } };

  test('that are served otherwise refuse the version, with examples', async () => {
    comesFrom(set);
    rig.features.training = rows(100).map((row, index) =>
      index === 40 ? { ...row, values: [41, 1, null] } : row,
    );
    const { message, details } = await refusal();
    expect(message).toContain(
      '1 of 100 rows of late_train@v3 are served otherwise: distance of origin=ORD, distance=40',
    );
    expect(message).toContain('at 1970-01-01T00:00:40Z was 41, is 40');
    expect(details.checks[3]?.numbers).toMatchObject({ rows: 100, compared: 100, mismatched: 1 });
  });

  test('that events which came since made fresher do not refuse it', async () => {
    comesFrom(set);
    const late = { ...rows(41)[40]!, values: [41, 1, null] };
    rig.features.training = [...rows(40), late];
    rig.features.offline = [40, 1, 0];
    const { result, summary, numbers } = (await rig.deploy(1)).evidence[3]!;
    expect(result).toBe('passed');
    expect(summary).toContain('; 1 otherwise, because of events that came since');
    expect(numbers).toEqual({ rows: 41, compared: 41, mismatched: 0, fresher: 1, unproven: 0 });
    rig.features.offline = [41, 1, 0];
    expect(await refusal()).toMatchObject({ code: 'DEPLOYMENT_REFUSED' });
  });

  test('are compared as far as the online store goes back', async () => {
    comesFrom(set);
    rig.features.training = rows(100);
    rig.features.keptSince = 90 * 1_000_000;
    expect((await rig.deploy(1)).evidence[3]).toMatchObject({
      result: 'passed',
      numbers: { rows: 100, compared: 10, mismatched: 0 },
    });
    rig.features.keptSince = Infinity;
    expect((await rig.deploy(1)).evidence[3]).toMatchObject({ result: 'not_done' });
  });
});

function back() {
  const by = { endpoint: 'late', actor: 'test', reason: 'test', ifRevision: undefined };
  return rig.changes.rollback({ ...by, to: undefined });
}

test('a rollback asks again for the definition, and replays nothing', async () => {
  await rig.deploy(1);
  await rig.register();
  await rig.deploy(2);
  expect((await back()).evidence.map(({ name }) => name)).toEqual(['definition', 'signature']);
});

test('a rollback goes back to the definition that the former revision answered by', async () => {
  const former = rig.features.current;
  await rig.deploy(1);
  await rig.register();
  rig.features.current = 'd2'.repeat(32);
  comesFrom({});
  await rig.deploy(2);
  expect(new Set(rig.features.kept)).toEqual(new Set([former, rig.features.current]));
  comesFrom({ definition: former });
  expect((await back()).features).toEqual({ service: 'late_v1', definition: former });
  comesFrom({ definition: rig.features.current });
  expect(await refusal(back())).toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' });
});

describe('a split', () => {
  function split(...versions: readonly number[]) {
    const by = { endpoint: 'late', actor: 'test', reason: 'test', ifRevision: undefined };
    const weight = 10_000 / versions.length;
    const arms = versions.map((version) => ({ name: `v${version}`, version, weight }));
    return rig.changes.split({ ...by, arms });
  }

  test('replays what this endpoint never deployed, and nothing twice', async () => {
    await rig.deploy(1);
    await rig.register();
    const checks = async () =>
      (await split(1, 2)).evidence.map(({ name, version }) => `${version} ${name}`);
    const first = ['1 definition', '1 signature', '2 definition', '2 signature'];
    expect(await checks()).toEqual([...first, '2 golden', '2 consistency']);
    expect(await checks()).toEqual(first);
    await rig.register();
    comesFrom({ golden: golden([11.5]) });
    expect(await refusal(split(1, 3))).toMatchObject({ code: 'DEPLOYMENT_REFUSED' });
  });

  test('keeps the definition of the current revision', async () => {
    const former = rig.features.current;
    await rig.deploy(1);
    await rig.register();
    rig.features.current = 'd2'.repeat(32);
    expect((await split(1, 2)).features).toEqual({ service: 'late_v1', definition: former });
  });
});
