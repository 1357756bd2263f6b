import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { present } from '../../base/assert.ts';
import { FlightFiles } from './flight-files.ts';
import { ENDPOINT } from './flights-story.ts';
import { BEGINS, count, shown, type Phase } from './story.ts';
import { versionProject } from './versioned-project.ts';

/** From the raw file to a version that answers. Each phase leaves alone what is there already. */

export const version: Phase = async ({ folder }) => {
  const commit = await versionProject(folder);
  const code = commit === null ? 'no git here: code is pinned by its hash' : `commit ${commit}`;
  return `${shown(folder)} (replay clock, ${code})`;
};

export const prepare: Phase = async ({ tell, folder, report }, say) => {
  const { environmentSeconds } = await tell.run('prepare', say.now);
  if (environmentSeconds > 0) {
    report.phases.push({ name: 'environment', seconds: environmentSeconds });
  }
  const counts = JSON.parse(await readFile(path.join(folder, 'data', 'prepare.json'), 'utf8')) as {
    readonly raw_rows: number;
    readonly departures: number;
  };
  const dropped = counts.raw_rows - counts.departures;
  return `${count(counts.departures)} flights in UTC, ${dropped} with impossible delays dropped`;
};

export const load: Phase = async ({ tell, folder }) => {
  await using files = await FlightFiles.open(path.join(folder, 'data'));
  const tables = await tell.load(files, BEGINS);
  if ((await tell.now()) < BEGINS) await tell.advance(BEGINS);
  const told = Object.entries(tables).map(([name, { rows }]) => `${name} ${count(rows)}`);
  return `January and February → tables ${told.join(', ')} (Delta Lake)`;
};

export const declare: Phase = async ({ tell }) => {
  const { changes } = await tell.declare();
  // A training set comes out of the tables: it need not wait until the online store is filled.
  if ((await tell.route()) === null) tell.begin('train');
  await tell.awaitOnline(await tell.newestLandings());
  const service = await tell.service();
  const windows = service.features.filter(({ kind }) => kind === 'window').length;
  const kinds = new Set(changes.map(({ kind }) => kind));
  const what = changes.length === 0 ? 'nothing changed' : `${kinds.size} kinds applied`;
  return (
    `${service.views.length} views, ${windows} windowed features, definition ` +
    `${service.hash.slice(0, 8)}: the same offline and online (${what})`
  );
};

/** The first version only: later ones are the loop's. */
export const train: Phase = async ({ tell, report }, say) => {
  if ((await tell.route()) === null) await tell.run('train', say.now);
  const set = await tell.trainingSet(1);
  report.training = { rows: set.rows, leftOut: { ...set.leftOut } };
  const version = await tell.version(1);
  const run = await tell.runOf(version);
  const auc = run.metrics.find(({ key }) => key === 'auc')?.value;
  return (
    `training set ${set.name}@v${set.version}: ${count(set.rows)} rows (pinned); ` +
    `run ${run.id.slice(0, 12)}…: AUC ${auc?.toFixed(3)} → ${version.model}@${version.version}`
  );
};

export const deployFirst: Phase = async ({ tell, report }) => {
  if ((await tell.route()) === null) await tell.deploy(1, 'quickstart');
  const { evidence, arms } = await tell.revision(1);
  for (const { name, result, summary } of evidence) {
    report.deployment.push({ name, result, summary });
  }
  const golden = evidence.find(({ name }) => name === 'golden');
  const arm = present(arms[0], 'an arm');
  return `${ENDPOINT} → version ${arm.version} (${arm.name}); ${golden?.summary ?? 'no golden requests'}`;
};
