import { micros, type Micros } from '../../base/time.ts';
import type { Fact } from '../../platform/capability.ts';
import type { FactKind, Known } from './facts.ts';

/** Projects that are exactly at a level, as the facts that capabilities would tell of them. */

export const DAY = 86_400_000_000;
export const NOW = micros(Date.UTC(2001, 5, 30) * 1000);
export const ENDPOINT = 'late';

const COMMIT = 'c'.repeat(40);
const DEFINITION = 'd'.repeat(64);
const DIGEST = ['', 'a'.repeat(64), 'b'.repeat(64)] as const;

/** A fact of some days ago. */
export function fact<Kind extends FactKind>(
  kind: Kind,
  subject: string,
  daysAgo: number,
  data: Known<Kind>['data'],
): Fact {
  const at = daysAgoAt(daysAgo);
  return { kind, subject, at, wall: at, data };
}

function daysAgoAt(days: number): Micros {
  return micros(NOW - days * DAY);
}

function arms(version: 1 | 2) {
  return [{ model: ENDPOINT, version, digest: DIGEST[version], weight: 10_000 }];
}

function revision(number: number, version: 1 | 2, daysAgo: number, restores: number | null): Fact {
  const rest = { restores, isDrill: false, definition: null, actor: 'loop', tookMs: 40 };
  return fact('revision', `late@${number}`, daysAgo, {
    revision: number,
    arms: arms(version),
    ...rest,
  });
}

function version(number: 1 | 2, daysAgo: number): Fact {
  return fact('version', `late@${number}`, daysAgo, {
    id: `mv_${number}`,
    version: number,
    digest: DIGEST[number],
    sizeBytes: 1000,
    runId: `run_${number}`,
    description: '',
    packages: ['requirements.txt'],
  });
}

const SCRIPT_RUN: Known<'run'>['data'] = {
  owner: 'ada',
  status: 'FINISHED',
  commit: COMMIT,
  codeTree: null,
  params: 3,
  metrics: 2,
  data: ['flights 3f2a'],
  evaluatedOn: [],
  environment: null,
  definition: null,
  command: null,
  pipelineRun: null,
  trainingSet: null,
};

/** A script that logs to MLflow, and a version of it deployed by hand. */
function scripts(): readonly Fact[] {
  return [
    fact('endpoint', ENDPOINT, 0, { service: null, key: 'flight_id' }),
    fact('run', 'run_1', 80, SCRIPT_RUN),
    version(1, 80),
    { ...revision(1, 1, 79, null), data: { ...revision(1, 1, 79, null).data, actor: 'ada' } },
  ];
}

function pipelineRun(number: 1 | 2, daysAgo: number, actor: string): readonly Fact[] {
  const stage = (name: string) => ({
    stage: name,
    state: 'succeeded',
    attempts: 1,
    code: 'tree',
    command: `python ${name}.py`,
  });
  return [
    fact('pipeline_run', `prun_${number}`, daysAgo, {
      state: 'succeeded',
      actor,
      folder: '/project',
      stages: [stage('training_set'), stage('train')],
    }),
    fact('training_set', `late_train@${number}`, daysAgo, {
      rows: 1000,
      definition: DEFINITION,
      sources: ['main.landings@118'],
    }),
    fact('run', `run_${number}`, daysAgo, {
      ...SCRIPT_RUN,
      codeTree: 'tree',
      data: [`late_train@${number}`],
      evaluatedOn: ['the last 3 days'],
      environment: 'e'.repeat(64),
      definition: DEFINITION,
      command: 'python train.py',
      pipelineRun: `prun_${number}`,
      trainingSet: `late_train@${number}`,
    }),
    version(number, daysAgo),
  ];
}

/** A pipeline that a schedule of the team's starts as well, deployed by hand. */
function pipelines(): readonly Fact[] {
  const commit = { tree: 'tree', changed: 0, isPushed: true, committedAt: daysAgoAt(82) };
  const served = revision(1, 1, 79, null);
  return [
    fact('endpoint', ENDPOINT, 0, { service: 'late_v1', key: 'flight_id' }),
    fact('commit', COMMIT, 82, commit),
    ...pipelineRun(1, 80, 'cli:ada'),
    ...pipelineRun(2, 40, 'loop'),
    { ...served, data: { ...served.data, actor: 'ada', definition: DEFINITION } },
    instance({ isManual: false, state: 'rejected', challenger: 2, deployedAt: null }),
  ];
}

function instance(data: Partial<Known<'instance'>['data']>): Fact {
  return fact('instance', 'li_1', 40, {
    loop: ENDPOINT,
    state: 'promoted',
    isManual: false,
    isTraining: true,
    causes: ['quality'],
    champion: 1,
    challenger: 2,
    startedAt: daysAgoAt(40),
    deployedAt: micros(daysAgoAt(40) + DAY / 12),
    pipelineRun: 'prun_2',
    ...data,
  });
}

function decision(number: number, data: Partial<Known<'decision'>['data']>, days: number): Fact {
  return fact('decision', `late/${number}`, days, {
    number,
    decision: 'admitted',
    actor: 'loop',
    reason: 'As the policy says.',
    instance: 'li_1',
    blockedBy: [],
    compared: null,
    ...data,
  });
}

/** Changes come through CI and review; the loop's gate and guard put versions into traffic. */
function delivery(): readonly Fact[] {
  const days = { from: daysAgoAt(43), until: daysAgoAt(40) };
  const compared = { champion: 1, challenger: 2, rows: 900, ...days };
  const former = pipelines().filter(({ kind }) => kind !== 'instance');
  const back = revision(3, 1, 20, 1);
  const again = revision(4, 2, 20, 2);
  const joined = [revision(2, 2, 40, null), back, again].map((one) => ({
    ...one,
    data: { ...one.data, definition: DEFINITION },
  }));
  return [
    ...former,
    ...joined,
    instance({}),
    decision(1, {}, 40),
    decision(2, { decision: 'gate_passed', compared }, 40),
    decision(3, { decision: 'deployed' }, 40),
    decision(4, { decision: 'promoted' }, 38),
    fact('ci', COMMIT, 81, {
      isGreen: true,
      suites: ['unit', 'data', 'model'],
      isSmokeRun: true,
    }),
    fact('review', COMMIT, 81, { author: 'ada', approvedBy: ['grace'] }),
    fact('applied', 'plan/1', 60, { plan: '1', changes: 9 }),
    fact('plan_checked', 'plan/2', 1, { differences: 0 }),
    fact('secrets_scan', 'scan/1', 1, { found: 0 }),
    fact('staged', 'late@2', 41, { environment: 'staging', passed: true }),
  ];
}

/** Watched every day, exercised in everything that the loop has to be able to do. */
function closedLoop(): readonly Fact[] {
  const kinds = ['drift', 'score_drift', 'quality'].map((kind) => ({ kind, state: 'ok' }));
  const evaluations = Array.from({ length: 30 }, (_, daysAgo) =>
    fact('evaluation', `eval_${daysAgo}`, daysAgo, {
      versions: [{ model: ENDPOINT, version: 2, requests: 100 }],
      loud: daysAgo === 10 ? [{ kind: 'label_silence', state: 'alert' }] : [],
      kinds: daysAgo === 0 ? kinds : null,
    }),
  );
  return [
    ...delivery(),
    ...evaluations,
    fact('monitor', ENDPOINT, 0, { isAuto: true, everyMicros: DAY }),
    fact('labels', ENDPOINT, 0, {
      label: 'late',
      days: 7,
      requests: 700,
      mature: 600,
      coverage: 0.99,
      delays: [{ seconds: 7200, share: 0.6 }],
    }),
    fact('loop', ENDPOINT, 0, {
      autonomy: 'full',
      retrains: 8,
      perMicros: 30 * DAY,
      minRows: 1000,
    }),
    decision(5, { decision: 'suppressed', instance: null, blockedBy: ['cooldown'] }, 35),
    decision(6, { decision: 'rolled_back', instance: 'li_2' }, 20),
    fact('attestation', 'attestation/1', 30, {
      about: 'feedback',
      by: 'ada',
      says: 'departures do not wait for what is predicted',
    }),
    fact('pager_test', 'test/1', 30, { delivered: true }),
  ];
}

export const PROJECTS: readonly (() => readonly Fact[])[] = [
  scripts,
  pipelines,
  delivery,
  closedLoop,
];
