/** MLflow's REST calls, the same to every server. */
export async function mlflowCall<Reply>(url: string, path: string, body: object): Promise<Reply> {
  const response = await fetch(`${url}/api/2.0/mlflow/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${url} ${path}: ${text.slice(0, 1000)}`);
  return JSON.parse(text) as Reply;
}

/** Id of a new run in the default experiment. */
export async function createRun(url: string): Promise<string> {
  const made = await mlflowCall<{ readonly run: { readonly info: { readonly run_id: string } } }>(
    url,
    'runs/create',
    { experiment_id: '0', start_time: Date.now() },
  );
  return made.run.info.run_id;
}
