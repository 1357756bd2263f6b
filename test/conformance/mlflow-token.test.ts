import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import type { Scope } from '../../src/base/access.ts';
import { createToken } from '../../src/capabilities/auth/contract.ts';
import { listEvents } from '../../src/capabilities/workspace/contract.ts';
import { python } from './python.ts';

/** The unmodified MLflow client before a server that asks for a token. */

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

async function tokenFor(name: string, scope: Scope): Promise<string> {
  const body = { name, scopes: [scope] };
  return (await app.api.call(createToken, { body })).token;
}

const SCRIPT = `
import json, os, mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

def outcome(env, call):
    for name in ("TOKEN", "USERNAME", "PASSWORD"):
        os.environ.pop("MLFLOW_TRACKING_" + name, None)
    os.environ.update(env)
    try:
        return call()
    except MlflowException as error:
        return [error.error_code, error.get_http_status_code()]

def track():
    with mlflow.start_run() as run:
        mlflow.log_metric("auc", 0.7)
        mlflow.log_text("hello", "note.txt")
    uri = f"runs:/{run.info.run_id}/note.txt"
    return open(mlflow.artifacts.download_artifacts(uri)).read()

def search():
    return len(MlflowClient().search_runs(["0"]))

admin, reader = os.environ["ADMIN"], os.environ["READER"]
print(json.dumps([
    outcome({}, track),
    outcome({"MLFLOW_TRACKING_TOKEN": "mwt_nonsense"}, track),
    outcome({"MLFLOW_TRACKING_TOKEN": admin}, track),
    outcome({"MLFLOW_TRACKING_USERNAME": "ada", "MLFLOW_TRACKING_PASSWORD": admin}, track),
    outcome({"MLFLOW_TRACKING_TOKEN": reader}, search),
    outcome({"MLFLOW_TRACKING_TOKEN": reader}, track),
]))
`;

test(
  'it tracks with the token or with it as password, and says what it was refused',
  async () => {
    const printed = await python(SCRIPT, {
      timeoutMs: MINUTES_3,
      env: {
        ADMIN: await tokenFor('ada', 'admin'),
        READER: await tokenFor('rae', 'read'),
        MLFLOW_TRACKING_URI: url,
        MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: 'false',
        MLFLOW_DISABLE_TELEMETRY: 'true',
        PYTHONWARNINGS: 'ignore',
      },
    });
    expect(JSON.parse(printed.trim().split('\n').at(-1)!)).toEqual([
      ['UNAUTHENTICATED', 401],
      ['UNAUTHENTICATED', 401],
      'hello',
      'hello',
      2,
      ['PERMISSION_DENIED', 403],
    ]);
    const { items } = await app.api.call(listEvents, { query: {} });
    const created = items.filter(({ kind }) => kind === 'run.created');
    expect(created.map(({ actor }) => actor)).toEqual(['ada', 'ada']);
  },
  MINUTES_3,
);
