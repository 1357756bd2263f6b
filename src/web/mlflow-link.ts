/**
 * The page here that shows what a link of MLflow's own pages means: its client prints such links
 * for every run (`/#/experiments/1/runs/<id>`), with this server's address before them.
 */
export function pageOfMlflowLink(hash: string): string | null {
  const path = hash.replace(/^#/, '').split('?')[0]!;
  const run = /^\/experiments\/\d{1,15}\/runs\/([0-9a-f]{32})(?:\/|$)/.exec(path);
  if (run !== null) return `/runs/run_${run[1]}`;
  const experiment = /^\/experiments\/(\d{1,15})(?:\/|$)/.exec(path);
  if (experiment !== null) return `/runs?experiment=${experiment[1]}`;
  const model = /^\/models\/[^/]{1,300}(?:\/versions\/\d{1,9})?(?=\/|$)/.exec(path);
  return model === null ? null : model[0];
}
