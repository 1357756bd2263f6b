import type { Known } from './facts.ts';
import { runsOf, type Production } from './production.ts';
import {
  counted,
  fail,
  nameOf,
  pass,
  unknown,
  type CheckRule,
  type FixText,
  type Verdict,
} from './verdict.ts';

type Run = Known<'run'>;

/**
 * Those that have something to show: what answers came of its run, however that ended; any other
 * that ended badly or is under way has nothing.
 */
function finished(of: Production): readonly Run[] {
  return runsOf(of).filter((run) => run.data.status === 'FINISHED' || run === of.run);
}

/** Whether all of the runs have something; the ones that do not are the evidence. */
function everyRun(
  of: Production,
  runs: readonly Run[],
  rule: {
    readonly has: (run: Run) => boolean;
    readonly what: string;
    readonly without: string;
  },
): Verdict {
  const { has, what, without } = rule;
  if (of.run === null) {
    return fail(`No tracked run made ${nameOf(of)}; nothing tells what it came from.`);
  }
  const bad = runs.filter((run) => !has(run));
  if (bad.length === 0) return pass(`${counted(runs.length, 'run')}, none without ${what}.`, runs);
  const names = bad.slice(0, 3).map(({ subject }) => subject);
  const more = bad.length > names.length ? ' and more' : '';
  return fail(
    `${bad.length} of ${counted(runs.length, 'run')} ${without}: ${names.join(', ')}${more}.`,
    bad,
  );
}

/** A stage's run says all of it by itself. */
function runFix(): FixText {
  const says =
    'Train in a stage of dvc.yaml: its run records owner, code, data and environment by itself.';
  return [says, 'millwright run'];
}

/** The model is seen at all. */
export const CHECKS_L0: readonly CheckRule[] = [
  {
    id: 'A1',
    level: 0,
    need: 'required',
    title: 'every run has an owner, and a commit or a snapshot of its code',
    effort: 'minutes',
    fix: runFix,
    judge: (of) =>
      everyRun(of, runsOf(of), {
        has: ({ data }) => data.owner !== '' && (data.commit !== null || data.codeTree !== null),
        what: 'an owner and code on record',
        without: 'without an owner or their code',
      }),
  },
  {
    id: 'A2',
    level: 0,
    need: 'required',
    title: 'parameters and a metric are logged',
    effort: 'minutes',
    fix: () => [
      'Log parameters and at least one metric with the MLflow client you use already.',
      'millwright runs ls',
    ],
    judge: (of) =>
      everyRun(of, finished(of), {
        has: ({ data }) => data.params > 0 && data.metrics > 0,
        what: 'parameters and metrics',
        without: 'without parameters or metrics',
      }),
  },
  {
    id: 'A3',
    level: 0,
    need: 'required',
    title: 'the data of every run is identified',
    effort: 'minutes',
    fix: runFix,
    judge: (of) =>
      everyRun(of, finished(of), {
        has: ({ data }) => data.data.length > 0,
        what: 'table versions or digests of what they read',
        without: 'without a word on the data they read',
      }),
  },
  {
    id: 'A4',
    level: 0,
    need: 'required',
    title: 'the model is stored under its hash and readable',
    effort: 'minutes',
    fix: ({ model }) => [
      'Register the model file; every answering version is loaded from the registry.',
      `millwright models register ${model} model.onnx`,
    ],
    judge: judgeArtifact,
  },
  {
    id: 'A5',
    level: 0,
    need: 'required',
    title: 'the environment of the run is captured',
    effort: 'minutes',
    fix: () => [
      'Name a lock file in pipelines.python.requirements of millwright.yaml, then train again.',
      'millwright run',
    ],
    judge: judgeEnvironment,
  },
  {
    id: 'A6',
    level: 0,
    need: 'required',
    title: 'all traffic goes to versions that were deployed here',
    effort: 'minutes',
    fix: ({ endpoint, version }) => [
      'Let the registry serve what answers: deploy it.',
      `millwright deploy ${endpoint}@${version}`,
    ],
    judge: judgeTraffic,
  },
];

function judgeArtifact(of: Production): Verdict {
  const { registered, revision, version } = of;
  if (registered === null) return fail(`${nameOf(of)} is not in the registry.`, [revision]);
  const arm = revision.data.arms.find((one) => one.version === version);
  const { digest, sizeBytes } = registered.data;
  const shown = `${nameOf(of)} has ${sizeBytes} bytes under sha256 ${digest.slice(0, 12)}`;
  if (arm?.digest !== digest) {
    return fail(`${shown}, but revision ${revision.subject} loaded other bytes.`, [
      registered,
      revision,
    ]);
  }
  return pass(`${shown}; revision ${revision.subject} loaded it from there.`, [
    registered,
    revision,
  ]);
}

function judgeEnvironment(of: Production): Verdict {
  const { run, registered } = of;
  if (run === null) return fail(`No tracked run made ${nameOf(of)}.`);
  const { environment } = run.data;
  if (environment !== null) {
    return pass(`${run.subject} ran in the lock sha256 ${environment.slice(0, 12)}.`, [run]);
  }
  const [file] = registered?.data.packages ?? [];
  if (registered !== null && file !== undefined) {
    return pass(`${nameOf(of)} lists its packages in ${file}.`, [registered, run]);
  }
  return fail(`${run.subject} left neither a lock nor a list of packages.`, [run]);
}

function judgeTraffic({ book, endpoint, model }: Production): Verdict {
  const revisions = book.all('revision');
  const routed = new Set(revisions.flatMap(({ data }) => data.arms.map(named)));
  const evaluations = book.recent('evaluation');
  const strays = evaluations.filter(({ data }) =>
    data.versions.some((one) => one.requests > 0 && !routed.has(named(one))),
  );
  if (strays.length > 0) {
    return fail(
      `${counted(strays.length, 'evaluation')} saw answers of versions that no revision of ${endpoint} routes to.`,
      strays,
    );
  }
  const requests = evaluations.reduce(
    (sum, { data }) => sum + data.versions.reduce((all, one) => all + one.requests, 0),
    0,
  );
  if (revisions.length === 0) return unknown(`Nothing was deployed for ${model}.`);
  return pass(
    `All ${requests} requests that were watched went to versions that ${counted(revisions.length, 'revision')} of ${endpoint} named.`,
    [...revisions.slice(0, 3), ...evaluations.slice(0, 1)],
  );
}

function named({ model, version }: { readonly model: string; readonly version: number }): string {
  return `${model}@${version}`;
}
