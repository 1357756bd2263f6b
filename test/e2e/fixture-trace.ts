import type { Trace } from '../../src/capabilities/serving/contract.ts';
import type { Fixture } from './fixture-data.ts';
import { runId } from './fixture-runs.ts';
import { hex } from './fixture-values.ts';

const AGGREGATES = ['n', 'late', 'delay'];
const WINDOWS = ['2h', '1d', '7d', '30d'];

/** The same workspace with requests that bring entities; one value of each comes out otherwise. */
export function withFeatures(fixture: Fixture): Fixture {
  const definition = hex(77, 64);
  const [first, ...others] = fixture.predictions;
  const features = {
    service: 'late_v1',
    definition,
    entity: { origin: 'ORD', destination: 'LGA', distance: 733 },
    features: [],
    watermark: { 'default.landings': 117, 'default.departures': 118 },
  };
  const evidence = [
    {
      name: 'definition' as const,
      version: 2,
      result: 'passed' as const,
      summary: 'trained on the definition that is served',
      numbers: {},
    },
    {
      name: 'golden' as const,
      version: 2,
      result: 'not_done' as const,
      summary: 'no golden requests were logged with the run',
      numbers: {},
    },
  ];
  return {
    ...fixture,
    predictions: [{ ...first!, features }, ...others],
    revisions: fixture.revisions.map((revision) => ({ ...revision, evidence })),
    traced: { features: tracedFeatures(definition), origin: tracedOrigin(definition) },
  };
}

function tracedFeatures(definition: string): Trace['features'] {
  const names = ['origin', 'destination', 'route'].flatMap((view) =>
    AGGREGATES.flatMap((of) => WINDOWS.map((window) => `${view}_delays__${of}_${window}`)),
  );
  return {
    service: 'late_v1',
    definition,
    rows: [
      {
        entity: { origin: 'ORD', destination: 'LGA', distance: 733 },
        values: names.map((name, index) => {
          const served = index === 5 ? null : Math.sin(index + 1) ** 2;
          const recomputed = index === 20 ? 0.5 : served;
          return { name, served, recomputed, isSame: served === recomputed };
        }),
      },
    ],
    notRecomputed: null,
  };
}

function tracedOrigin(definition: string): Trace['origin'] {
  return {
    run: runId(1),
    codeTree: hex(2, 40),
    codeCommit: hex(3, 40),
    environment: hex(4, 64),
    command: 'python train.py --epochs 3',
    definition,
    trainingSet: { name: 'late_train', version: 3 },
    tables: [{ table: 'default.landings', version: 110 }],
  };
}
