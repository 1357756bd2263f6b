import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { getVersion } from '../../src/capabilities/registry/contract.ts';
import { deploy, putEndpoint } from '../../src/capabilities/serving/contract.ts';
import { getRun, metricHistory } from '../../src/capabilities/tracking/contract.ts';
import { eventsList } from './mlflow-events.ts';
import { python } from './python.ts';

/** The unmodified MLflow client, as a script of an ordinary team uses it. */

const MINUTES_3 = 180_000;

let app: TestApp;
let url: string;

beforeAll(async () => {
  app = await createTestApp();
  url = await app.app.listen(0);
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

/** Runs a script whose last line prints JSON. */
async function client<Answer>(
  source: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const printed = await python(`${PRELUDE}\n${source}`, {
    timeoutMs: MINUTES_3,
    env: {
      MLFLOW_TRACKING_URI: url,
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
      MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: 'false',
      MLFLOW_DISABLE_TELEMETRY: 'true',
      PYTHONWARNINGS: 'ignore',
      ...env,
    },
  });
  return JSON.parse(printed.trim().split('\n').at(-1)!) as Answer;
}

const PRELUDE = `
import json, math, os, mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
client = MlflowClient()

def refusal(call):
    try:
        call()
    except MlflowException as error:
        return [error.error_code, str(error)]
    return None
`;

describe('a run', () => {
  test(
    'keeps what the script logs, and tells it back',
    async () => {
      const told = await client<{ run: string; told: unknown; history: unknown; text: string }>(`
mlflow.set_experiment("first")
with mlflow.start_run(run_name="one", tags={"team": "a"}) as run:
    mlflow.log_params({"lr": 0.1, "note": ""})
    mlflow.log_metric("auc", 0.7, step=1)
    mlflow.log_metrics({"auc": 0.1 + 0.2, "loss": float("nan"), "big": float("inf")}, step=2)
    mlflow.log_metric("auc", 0.9, step=0)
    mlflow.log_text("hello é", "notes/a b.txt")
    mlflow.set_tag("mlflow.note.content", "read me")
    id = run.info.run_id
run = client.get_run(id)
metrics = {k: "NaN" if math.isnan(v) else v for k, v in run.data.metrics.items()}
text = open(mlflow.artifacts.download_artifacts(run_id=id, artifact_path="notes/a b.txt"), encoding="utf8").read()
history = [[m.step, m.value] for m in client.get_metric_history(id, "auc")]
files = [[f.path, f.is_dir, f.file_size] for f in client.list_artifacts(id, "notes")]
print(json.dumps({"run": id, "history": history, "text": text, "told": [
    run.info.status, run.info.run_name, metrics, run.data.params, run.data.tags["team"], files]}))
`);
      expect(told.told).toEqual([
        'FINISHED',
        'one',
        { auc: 0.30000000000000004, loss: 'NaN', big: Number.MAX_VALUE },
        { lr: '0.1', note: '' },
        'a',
        [['notes/a b.txt', false, 8]],
      ]);
      expect(told.history).toEqual([
        [0, 0.9],
        [1, 0.7],
        [2, 0.30000000000000004],
      ]);
      expect(told.text).toBe('hello é');
      const run = await app.api.call(getRun, { params: { run: told.run } });
      expect(run).toMatchObject({
        id: `run_${told.run}`,
        name: 'one',
        status: 'FINISHED',
        pins: null,
        artifacts: [{ path: 'notes', isFolder: true }],
      });
      expect(run.metrics.find(({ key }) => key === 'loss')?.value).toBeNull();
      const params = { run: told.run, key: 'auc' };
      const first = await app.api.call(metricHistory, { params, query: { limit: 2 } });
      expect(first.items.map(({ step }) => step)).toEqual([0, 1]);
      const query = { limit: 2, cursor: first.nextCursor! };
      const rest = await app.api.call(metricHistory, { params, query });
      expect(rest.items.map(({ step }) => step)).toEqual([2]);
      const kinds = await eventsList(app, `run/${run.id}`);
      expect(kinds).toEqual(['run.finished', 'run.created']);
    },
    MINUTES_3,
  );

  test(
    'shows what its step pinned through MLFLOW_RUN_CONTEXT',
    async () => {
      const tree = 'a'.repeat(40);
      const id = await client<string>(
        'with mlflow.start_run() as run: pass\nprint(json.dumps(run.info.run_id))',
        {
          MLFLOW_RUN_CONTEXT: JSON.stringify({
            'millwright.step': 'att_1',
            'millwright.code_tree': tree,
            'millwright.environment': 'no hash',
            'millwright.tables': JSON.stringify([{ table: 'lab.rows', version: 3 }]),
            'millwright.training_set': 'late_train@3',
          }),
        },
      );
      const run = await app.api.call(getRun, { params: { run: id } });
      expect(run.pins).toMatchObject({
        step: 'att_1',
        codeTree: tree,
        environment: null,
        tables: [{ table: 'lab.rows', version: 3 }],
        trainingSet: { name: 'late_train', version: 3 },
      });
      expect(run.tags).toContainEqual({ key: 'millwright.environment', value: 'no hash' });
    },
    MINUTES_3,
  );

  test(
    'is found by what it logged, in any order, page by page',
    async () => {
      const found = await client<Record<string, unknown>>(`
id = mlflow.create_experiment("search")
for i in range(12):
    with mlflow.start_run(experiment_id=id, run_name=f"r{i}"):
        mlflow.log_params({"p": i % 3, "model": "Tree" if i % 2 else "linear"})
        mlflow.set_tag("k", "v")
        if i != 5:
            mlflow.log_metric("m", float("nan") if i == 7 else i / 10)
def names(*args, **kwargs):
    return [r.info.run_name for r in client.search_runs([id], *args, **kwargs)]
pages, token = [], None
while True:
    page = client.search_runs([id], order_by=["metrics.m DESC"], max_results=5, page_token=token)
    pages.append([r.info.run_name for r in page])
    token = page.token
    if not token: break
print(json.dumps({
    "and": names("metrics.m > 0.3 and params.p = '1' and tags.k LIKE 'v%'"),
    "like": sorted(names("params.model ILIKE 'TREE'"), key=lambda n: int(n[1:]))[:2],
    "exact": names("params.model LIKE 'tree'"),
    "in": len(names(f"attributes.run_name = 'r1' and run_id NOT IN ('{'0' * 32}')")),
    "absent": names("params.q IS NULL and status = 'FINISHED'", max_results=1) != [],
    "pages": pages,
    "or": refusal(lambda: names("metrics.m > 1 or metrics.m < 0"))[0],
    "quoted": refusal(lambda: names("metrics.m > '1'"))[0],
    "too many": refusal(lambda: names(max_results=50001))[0],
}))
`);
      expect(found).toEqual({
        and: ['r10', 'r4'],
        like: ['r1', 'r3'],
        exact: [],
        in: 1,
        absent: true,
        pages: [
          ['r11', 'r10', 'r9', 'r8', 'r6'],
          ['r4', 'r3', 'r2', 'r1', 'r0'],
          ['r7', 'r5'],
        ],
        or: 'INVALID_PARAMETER_VALUE',
        quoted: 'INVALID_PARAMETER_VALUE',
        'too many': 'INVALID_PARAMETER_VALUE',
      });
    },
    MINUTES_3,
  );

  test(
    'refuses what would change the past, in MLflow’s words',
    async () => {
      const refused = await client<Record<string, readonly [string, string]>>(`
id = mlflow.create_experiment("past")
run = client.create_run(id).info.run_id
client.log_param(run, "lr", 1)
client.log_param(run, "lr", 1)
answers = {
    "param": refusal(lambda: client.log_param(run, "lr", 2)),
    "experiment": refusal(lambda: mlflow.create_experiment("past")),
    "run": refusal(lambda: client.get_run("f" * 32)),
    "tag": refusal(lambda: client.delete_tag(run, "none")),
}
client.delete_run(run)
answers["deleted"] = refusal(lambda: client.log_metric(run, "m", 1))
client.restore_run(run)
client.log_metric(run, "m", 1)
client.delete_experiment(id)
answers["name"] = refusal(lambda: mlflow.create_experiment("past"))
client.restore_experiment(id)
print(json.dumps(answers))
`);
      expect(
        Object.fromEntries(Object.entries(refused).map(([key, [code]]) => [key, code])),
      ).toEqual({
        param: 'INVALID_PARAMETER_VALUE',
        experiment: 'RESOURCE_ALREADY_EXISTS',
        run: 'RESOURCE_DOES_NOT_EXIST',
        tag: 'RESOURCE_DOES_NOT_EXIST',
        deleted: 'INVALID_PARAMETER_VALUE',
        name: 'RESOURCE_ALREADY_EXISTS',
      });
      expect(refused['param']![1]).toContain("value='1'");
    },
    MINUTES_3,
  );
});

describe('a model', () => {
  test(
    'logged as ONNX is registered, served, downloaded and labelled',
    async () => {
      const told = await client<{ run: string; files: readonly string[]; labels: unknown }>(`
import mlflow.onnx, mlflow.sklearn, numpy
from sklearn.linear_model import LogisticRegression
from skl2onnx import to_onnx
rows = numpy.random.default_rng(1).random((40, 3)).astype(numpy.float32)
fitted = LogisticRegression().fit(rows, rows[:, 0] > 0.5)
graph = to_onnx(fitted, rows[:1], options={"zipmap": False})
with mlflow.start_run() as run:
    mlflow.log_metric("auc", 0.9)
    mlflow.log_input(mlflow.data.from_numpy(rows, name="rows"), context="training")
    mlflow.onnx.log_model(graph, name="model", registered_model_name="late")
    plain = mlflow.sklearn.log_model(fitted, name="plain")
    mlflow.register_model(plain.model_uri, "plain")
client.set_registered_model_alias("late", "champion", 1)
client.set_model_version_tag("late", "1", "reviewed", "yes")
client.transition_model_version_stage("late", "1", "Production")
version = client.get_model_version("late", "1")
files = sorted(os.listdir(mlflow.artifacts.download_artifacts("models:/late@champion")))
mlflow.sklearn.load_model("models:/plain/1")
models = [m.name for m in client.search_registered_models(order_by=["name ASC"])]
logged = [m.name for m in client.search_logged_models(["0"], order_by=[{"field_name": "name"}])]
print(json.dumps({"run": run.info.run_id, "files": files, "labels": [
    list(version.aliases), version.tags, version.current_stage, version.run_id == run.info.run_id,
    models, logged, [i.dataset.name for i in client.get_run(run.info.run_id).inputs.dataset_inputs]]}))
`);
      expect(told.files).toContain('model.onnx');
      const late = [['champion'], { reviewed: 'yes' }, 'Production', true];
      expect(told.labels).toEqual([...late, ['late', 'plain'], ['model', 'plain'], ['rows']]);
      const version = await app.api.call(getVersion, { params: { model: 'late', version: 1 } });
      expect(version).toMatchObject({
        format: 'onnx',
        runId: `run_${told.run}`,
        aliases: ['champion'],
        signature: { inputs: [{ datatype: 'FP32', shape: [-1, 3] }] },
      });
      const run = await app.api.call(getRun, { params: { run: told.run } });
      expect(run.registeredVersions).toEqual([
        { model: 'late', version: 1 },
        { model: 'plain', version: 1 },
      ]);
      await app.api.call(putEndpoint, { params: { endpoint: 'late' }, body: { model: 'late' } });
      await app.api.call(deploy, { params: { endpoint: 'late' }, body: { version: 1 } });
      await app.api.call(putEndpoint, { params: { endpoint: 'plain' }, body: { model: 'plain' } });
      const refused = app.api.call(deploy, { params: { endpoint: 'plain' }, body: { version: 1 } });
      await expect(refused).rejects.toMatchObject({ code: 'MODEL_NOT_SERVABLE' });
    },
    MINUTES_3,
  );

  test(
    'whose tensors lie in files of their own is kept whole, and served when they do not',
    async () => {
      const files = await client<readonly string[]>(`
import mlflow.onnx, numpy, onnx
from onnx import helper, numpy_helper, TensorProto
def make():
    weights = numpy_helper.from_array(numpy.eye(32, dtype=numpy.float32), "w")
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 32])
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "large", [value("x")], [value("y")], [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
with mlflow.start_run():
    mlflow.onnx.log_model(make(), name="large", registered_model_name="large")
files = os.listdir(mlflow.artifacts.download_artifacts("models:/large/1"))
mlflow.onnx.load_model("models:/large/1")
with mlflow.start_run():
    mlflow.onnx.log_model(make(), name="large", registered_model_name="large",
                          save_as_external_data=False)
print(json.dumps(files))
`);
      expect(files).toContain('model.onnx');
      const params = { endpoint: 'large' };
      const at = (version: number) => ({ params: { model: 'large', version } });
      expect(await app.api.call(getVersion, at(1))).toMatchObject({ format: 'mlflow' });
      expect(await app.api.call(getVersion, at(2))).toMatchObject({ format: 'onnx' });
      await app.api.call(putEndpoint, { params, body: { model: 'large' } });
      const refused = app.api.call(deploy, { params, body: { version: 1 } });
      await expect(refused).rejects.toMatchObject({
        code: 'MODEL_NOT_SERVABLE',
        hint: expect.stringContaining('save_as_external_data=False') as string,
      });
      await app.api.call(deploy, { params, body: { version: 2 } });
    },
    MINUTES_3,
  );

  test(
    'is not made of anything outside the artifacts',
    async () => {
      const codes = await client<readonly string[]>(`
client.create_registered_model("strict")
sources = ["file:///etc", "FILE:/etc", "/etc/passwd", "mlflow-artifacts:/x/../../..", "s3://b/k",
           "mlflow-artifacts:/%252e%252e/x", "http://127.0.0.1/x", "runs:/" + "f" * 32 + "/m"]
answers = [refusal(lambda: client.create_model_version("strict", s))[0] for s in sources]
answers += [refusal(lambda: client.create_registered_model(n))[0] for n in ["a b", "a/b", "a%2fb"]]
answers += [refusal(lambda: client.rename_registered_model("strict", "other"))[0]]
print(json.dumps(answers))
`);
      const bad = 'INVALID_PARAMETER_VALUE';
      expect(codes).toEqual([
        ...Array.from({ length: 7 }, () => bad),
        'RESOURCE_DOES_NOT_EXIST',
        ...Array.from({ length: 3 }, () => bad),
        'NOT_IMPLEMENTED',
      ]);
    },
    MINUTES_3,
  );
});
