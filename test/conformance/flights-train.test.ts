import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../contracts/lake.ts';
import { python } from './python.ts';

/** A training set as Millwright writes them, but small, with a pattern to find and with gaps. */
const MAKE = `
import sys
import numpy as np
import pandas as pd

rows = 6000
random = np.random.default_rng(1)
names = [f'{view}_delays__{feature}_{window}' for view in ('origin', 'destination', 'route')
         for feature in ('n', 'late', 'delay') for window in ('2h', '1d', '7d', '30d')]
data = {name: random.random(rows) * 100 for name in names + ['distance', 'hour', 'weekday']}
chance = data['origin_delays__late_2h'] / 100
for name in names:
    if '__n_' not in name:
        data[name][random.random(rows) < 0.2] = np.nan
frame = pd.DataFrame(data)
frame.insert(0, 'row_id', np.arange(rows) + 500)
at = pd.Timestamp('2001-02-18T00:00:00Z') + pd.to_timedelta(np.arange(rows) * 144, unit='s')
frame.insert(1, 'T', at.astype('datetime64[us, UTC]'))
frame['label'] = (random.random(rows) < chance).astype('float64')
frame.to_parquet(sys.argv[1])
`;
const RUN = `
import runpy, sys
script = sys.argv[1]
sys.argv = [script, '--data', 'late_train.parquet', '--out', 'out']
runpy.run_path(script, run_name='__main__')
`;
/** What a colleague finds with the same client, and what another runtime makes of the model. */
const FIND = `
import json
import mlflow
import numpy as np
import onnxruntime
import pandas as pd

client = mlflow.MlflowClient()
mlflow.set_experiment('late')
experiment = client.get_experiment_by_name('late')
[run] = client.search_runs([experiment.experiment_id])
version = client.get_model_version('late', '1')
info = mlflow.models.get_model_info('models:/late/1')
names = [column.name for column in info.signature.inputs]
frame = pd.read_parquet('late_train.parquet')
table = mlflow.load_table('golden.json', run_ids=[run.info.run_id])
inputs = table[names].to_numpy(dtype=np.float32, na_value=np.nan)
model = mlflow.artifacts.download_artifacts('models:/late/1') + '/model.onnx'
session = onnxruntime.InferenceSession(model)
label, probability = session.run(None, {'features': inputs})
held_out = frame[frame['T'] >= frame['T'].max() - pd.Timedelta(days=3)]
print(json.dumps({
    'status': run.info.status,
    'metrics': run.data.metrics,
    'params': run.data.params,
    'curve': [it.step for it in client.get_metric_history(run.info.run_id, 'held_out_log_loss_curve')],
    'registered': [version.name, version.run_id == run.info.run_id],
    'in_training_order': names == [it for it in frame.columns if it not in ('row_id', 'T', 'label')],
    'features': mlflow.artifacts.load_dict(f'runs:/{run.info.run_id}/features.json'),
    'outputs': [it.name for it in session.get_outputs()],
    'shape': list(probability.shape),
    'golden': list(table.columns[:2]) + [table.columns[-1]],
    'golden_are_held_out': bool(table['row_id'].isin(held_out['row_id']).all()),
    'gaps': bool(np.isnan(inputs).any()),
    'delta': float(np.abs(probability[:, 1] - table['prediction']).max()),
    'flips': int((label != (table['prediction'] > 0.5)).sum()),
    'same_file': open(model, 'rb').read() == open('out/model.onnx', 'rb').read(),
}))
`;

interface Found {
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, string>>;
  readonly delta: number;
  readonly features: { readonly features: readonly string[] };
}

test('train.py tracks and registers a model in a stock MLflow, true to scikit-learn', async () => {
  const folder = temporaryFolder();
  const options = {
    cwd: folder,
    env: { MLFLOW_TRACKING_URI: `sqlite:///${path.join(folder, 'mlflow.db')}` },
    timeoutMs: 280_000,
  };
  await python(MAKE, { ...options, args: ['late_train.parquet'] });
  await python(RUN, { ...options, args: [path.resolve('examples/flights/train.py')] });
  const found = JSON.parse(await python(FIND, options)) as Found;
  expect(found).toMatchObject({
    status: 'FINISHED',
    registered: ['late', true],
    in_training_order: true,
    outputs: ['label', 'probabilities'],
    shape: [1000, 2],
    golden: ['row_id', 'T', 'prediction'],
    golden_are_held_out: true,
    gaps: true,
    flips: 0,
    same_file: true,
  });
  expect(found.delta).toBeLessThanOrEqual(1e-5);
  expect(found.features.features).toHaveLength(39);
  expect(found.metrics['auc']).toBeGreaterThan(0.6);
  expect(found.metrics['log_loss']).toBeLessThan(0.69);
  expect(found).toMatchObject({
    params: { held_out_rows: '1801', features: '39' },
    curve: Array.from({ length: 12 }, (_, index) => 5 * (index + 1)),
  });
  expect(existsSync(path.join(folder, 'out', 'model.onnx'))).toBe(true);
  const metrics: unknown = JSON.parse(readFileSync(path.join(folder, 'out/metrics.json'), 'utf8'));
  expect(metrics).toEqual({
    auc: expect.closeTo(found.metrics['auc']!, 5) as number,
    log_loss: expect.closeTo(found.metrics['log_loss']!, 5) as number,
  });
}, 600_000);
