import { micros } from '../../base/time.ts';
import type { Production } from './production.ts';
import {
  counted,
  dayOf,
  exercised,
  expired,
  fail,
  nameOf,
  notApplicable,
  pass,
  unknown,
  type CheckRule,
  type FixText,
  type Verdict,
} from './verdict.ts';

function trainFix({ endpoint }: Production): FixText {
  return [
    'Run the pipeline and deploy the version it makes.',
    `millwright run && millwright deploy ${endpoint}@VERSION`,
  ];
}

/** Pipelines make the models. */
export const CHECKS_L1: readonly CheckRule[] = [
  {
    id: 'B1',
    level: 1,
    need: 'required',
    title: 'the version that answers was made by a pipeline run',
    effort: 'hours',
    fix: trainFix,
    judge: judgePipeline,
  },
  {
    id: 'B2',
    level: 1,
    need: 'required',
    title: "that run's tree was committed, clean and pushed",
    effort: 'minutes',
    fix: ({ run }) => [
      'Commit and push the project, then let the pipeline make the next version from that commit.',
      run?.data.commit == null
        ? 'git init && git add --all && git commit --message "First version"'
        : 'git push && millwright run --force',
    ],
    judge: judgeTree,
  },
  {
    id: 'B3',
    level: 1,
    need: 'required',
    title: 'the same pipeline ran twice on different data',
    effort: 'minutes',
    fix: () => ['Run the pipeline again, unchanged, on newer data.', 'millwright run'],
    judge: judgeRepeated,
  },
  {
    id: 'B4',
    level: 1,
    need: 'required',
    title: 'a data contract was checked before training',
    effort: 'hours',
    fix: () => [
      'Declare sources, features and a training set in millwright.yaml, and make it in a stage before training.',
      'millwright features train-set NAME --pin FILE',
    ],
    judge: judgeContract,
  },
  {
    id: 'B5',
    level: 1,
    need: 'required',
    title: 'it was evaluated on a named window that it was not trained on',
    effort: 'minutes',
    fix: () => [
      'Name the held-out data in training (mlflow.log_input with the context eval) and train again; what passes the gate of a loop has such a window.',
      'millwright run',
    ],
    judge: judgeHeldOut,
  },
  {
    id: 'B6',
    level: 1,
    need: 'required',
    title: 'a schedule, new data or a monitor started a run that succeeded',
    effort: 'hours',
    fix: () => ['Declare a loop whose triggers start the pipeline.', 'millwright apply'],
    judge: judgeTriggered,
  },
  {
    id: 'B7',
    level: 1,
    need: 'required',
    title: 'the version is registered with its data, code and parameters',
    effort: 'minutes',
    fix: trainFix,
    judge: judgeLineage,
  },
  {
    id: 'B8',
    level: 1,
    need: 'required',
    title: 'no run failed, or what failed was run again with success',
    effort: 'minutes',
    fix: () => ['Run it again: what had succeeded is not repeated.', 'millwright run'],
    judge: judgeRecovered,
  },
  {
    id: 'B9',
    level: 1,
    need: 'required',
    title: 'training and serving share one feature definition',
    effort: 'hours',
    fix: ({ endpoint, version }) => [
      'Train on a training set of the service that the endpoint joins.',
      `millwright deploy ${endpoint}@${version}`,
    ],
    judge: judgeDefinition,
  },
  {
    id: 'B10',
    level: 1,
    need: 'required',
    title: 'notebooks among the steps run from top to bottom',
    effort: 'unavailable',
    fix: () => ['Turn the notebook into a script; a stage of scripts needs no such proof.', null],
    judge: judgeNotebooks,
  },
  {
    id: 'B11',
    level: 1,
    need: 'required',
    title: 'what answers is the registered version, byte for byte',
    effort: 'minutes',
    fix: ({ endpoint, version }) => [
      'Deploy the registered version.',
      `millwright deploy ${endpoint}@${version}`,
    ],
    judge: judgeDigest,
  },
  {
    id: 'B12',
    level: 1,
    need: 'bonus',
    title: 'repeating the run from its record gave the same model',
    effort: 'unavailable',
    fix: () => ['Reruns that are compared with the record cannot be recorded yet.', null],
    judge: ({ book }) =>
      book.all('rerun').length === 0
        ? unknown('No run was repeated from its record.')
        : exercised(
            book,
            book.all('rerun').filter(({ data }) => data.verdict !== 'different'),
            {
              seen: ({ subject, data }) => `${subject} was repeated: ${data.verdict}.`,
              never: 'Repeating the run gave another model.',
            },
          ),
  },
];

function judgePipeline(of: Production): Verdict {
  const { run, pipelineRun } = of;
  if (run === null) return fail(`No tracked run made ${nameOf(of)}.`);
  if (pipelineRun === null) {
    return fail(`${run.subject}, which made ${nameOf(of)}, belongs to no pipeline run.`, [run]);
  }
  const { state } = pipelineRun.data;
  const shown = `${pipelineRun.subject} made ${nameOf(of)} and ${state}`;
  const facts = [pipelineRun, run];
  return state === 'succeeded' ? pass(`${shown}.`, facts) : fail(`${shown}.`, facts);
}

function judgeTree(of: Production): Verdict {
  const { run, book } = of;
  if (run === null) return fail(`No tracked run made ${nameOf(of)}.`);
  const { commit, codeTree } = run.data;
  if (commit === null) {
    const kept = codeTree === null ? '' : `; only its code ${codeTree.slice(0, 14)} is known`;
    return fail(`${run.subject} names no commit${kept}.`, [run]);
  }
  const known = book
    .all('commit')
    .find(({ subject, data }) => subject === commit && data.tree === codeTree);
  const shown = `commit ${commit.slice(0, 12)}`;
  if (known === undefined) return unknown(`git could not be asked about ${shown}.`, [run]);
  const { changed, isPushed } = known.data;
  const facts = [run, known];
  if (changed === null) return unknown(`git does not have the tree of ${run.subject}.`, facts);
  if (changed > 0) {
    return fail(`${counted(changed, 'file')} of ${run.subject} differed from ${shown}.`, facts);
  }
  if (!isPushed) return fail(`${shown} is on no remote branch.`, facts);
  return pass(`${run.subject} ran ${shown}, unchanged and pushed.`, facts);
}

/** Tracked runs of one stage, the same code and command, on other data. */
function judgeRepeated({ book }: Production): Verdict {
  const made = book
    .all('run')
    .filter(({ data }) => data.status === 'FINISHED' && data.pipelineRun !== null);
  const groups = Map.groupBy(made, ({ data }) => `${data.codeTree} ${data.command}`);
  const repeated = [...groups.values()]
    .map((runs) => [...new Map(runs.map((run) => [run.data.data.join(), run])).values()])
    .filter((runs) => runs.length >= 2 && runs[0]!.data.data.length > 0);
  const [best] = repeated.toSorted((a, b) => b[0]!.at - a[0]!.at);
  if (best === undefined) {
    return fail(
      `${counted(made.length, 'run')} of pipelines succeeded, none twice by the same code on different data.`,
      made,
    );
  }
  const [newest] = best;
  if (!book.isRecent(newest!)) return expired(book, newest!);
  return pass(`The same code ran on ${best.length} versions of its data.`, best);
}

function judgeContract({ book, run, pipelineRun }: Production): Verdict {
  if (run === null || pipelineRun === null) return fail('No pipeline run made what answers.');
  const { trainingSet } = run.data;
  const built = book.find('training_set', trainingSet);
  if (trainingSet === null || built === null) {
    return fail(
      `${run.subject} read no built training set: nothing checked its rows against a declaration.`,
      [run],
    );
  }
  const stages = pipelineRun.data.stages.map(({ stage }) => stage);
  if (stages.length < 2) {
    return fail(`${pipelineRun.subject} has one stage: nothing could fail before training.`, [
      pipelineRun,
    ]);
  }
  const { rows, sources } = built.data;
  return pass(
    `${trainingSet} was built of ${rows} rows against the declared columns and types of ${sources.join(', ')}, in a stage that fails the run otherwise.`,
    [built, pipelineRun],
  );
}

function judgeHeldOut(of: Production): Verdict {
  const { book, run, version } = of;
  const judged = book
    .all('decision')
    .filter(
      ({ data }) =>
        data.compared !== null &&
        data.compared.rows > 0 &&
        [data.compared.champion, data.compared.challenger].includes(version),
    );
  const [newest] = judged;
  if (newest !== undefined) {
    const { rows, from, until } = newest.data.compared!;
    const days = `${dayOf(micros(from))} to ${dayOf(micros(until))}`;
    return pass(`v${version} was scored on ${rows} held-out rows of ${days}.`, judged);
  }
  if (run !== null && run.data.evaluatedOn.length > 0 && run.data.metrics > 0) {
    return pass(`${run.subject} logged metrics of ${run.data.evaluatedOn.join(', ')}.`, [run]);
  }
  const shown = run === null ? nameOf(of) : `the metrics of ${run.subject}`;
  return fail(`Nothing says on which window ${shown} were measured.`, run === null ? [] : [run]);
}

function judgeTriggered({ book }: Production): Verdict {
  const automatic = book
    .all('instance')
    .filter(({ data }) => data.isTraining && !data.isManual && data.pipelineRun !== null);
  const runs = new Set(automatic.map(({ data }) => data.pipelineRun));
  const started = book
    .all('pipeline_run')
    .filter(({ subject, data }) => data.state === 'succeeded' && runs.has(subject));
  return exercised(book, started, {
    seen: ({ subject, at }) => `${subject} of ${dayOf(at)} was started by a trigger and succeeded.`,
    never: 'Every successful pipeline run was started by a person.',
  });
}

function judgeLineage(of: Production): Verdict {
  const { registered, run } = of;
  if (registered === null || run === null) {
    return fail(`${nameOf(of)} is registered without the run that made it.`);
  }
  const { data, codeTree, commit, params } = run.data;
  const missing = [
    ...(data.length === 0 ? ['data'] : []),
    ...(codeTree === null && commit === null ? ['code'] : []),
    ...(params === 0 ? ['parameters'] : []),
  ];
  const facts = [registered, run];
  if (missing.length > 0) return fail(`${run.subject} lacks ${missing.join(', ')}.`, facts);
  const code = (codeTree ?? commit)!.slice(0, 14);
  return pass(`${nameOf(of)} ← ${run.subject} ← ${data.join(', ')}, code ${code}.`, facts);
}

/** A later success of the same folder stands for a run that was repeated or resumed. */
function judgeRecovered({ book, pipelineRun }: Production): Verdict {
  const folder = pipelineRun?.data.folder;
  const all = book
    .all('pipeline_run')
    .filter(({ data }) => data.state !== 'cancelled' && data.folder === folder);
  const runs = all.filter((one) => book.isRecent(one));
  if (runs.length === 0) {
    const [old] = all;
    return old === undefined ? fail('No pipeline has run.') : expired(book, old);
  }
  const broken = runs.filter(({ data }) => data.state === 'failed');
  const open = broken.filter(
    (one) => !runs.some(({ at, data }) => at >= one.at && data.state === 'succeeded'),
  );
  if (open.length > 0) {
    return fail(`${counted(open.length, 'run')} failed, and none succeeded since.`, open);
  }
  const retried = runs.filter(({ data }) => data.stages.some(({ attempts }) => attempts > 1));
  if (broken.length === 0 && retried.length === 0) {
    return pass(`${counted(runs.length, 'run')}, and none failed.`, runs);
  }
  return pass(
    `${counted(broken.length, 'run')} failed and ${counted(retried.length, 'run')} retried a stage; the work succeeded after that.`,
    [...broken, ...retried],
  );
}

function judgeDefinition(of: Production): Verdict {
  const { revision, run } = of;
  const served = revision.data.definition;
  const trained = run?.data.definition ?? null;
  if (served === null && trained === null) {
    return notApplicable('Requests bring the tensors of the model: no features are joined here.');
  }
  const facts = run === null ? [revision] : [revision, run];
  if (served !== null && served === trained) {
    return pass(`Both use the definition ${served.slice(0, 12)}.`, facts);
  }
  const [a, b] = [trained, served].map((hash) => hash?.slice(0, 12) ?? 'none');
  return fail(`Trained on the definition ${a}, served with ${b}.`, facts);
}

function judgeNotebooks({ pipelineRun }: Production): Verdict {
  if (pipelineRun === null) return notApplicable('No pipeline run made what answers.');
  const notebooks = pipelineRun.data.stages.filter(({ command }) => command.includes('.ipynb'));
  if (notebooks.length === 0) {
    return notApplicable(`No stage of ${pipelineRun.subject} runs a notebook.`);
  }
  const names = notebooks.map(({ stage }) => stage).join(', ');
  return unknown(`Whether the notebooks of ${names} run from top to bottom is not recorded.`, [
    pipelineRun,
  ]);
}

function judgeDigest(of: Production): Verdict {
  const { registered, revision, version } = of;
  const arm = revision.data.arms.find((one) => one.version === version);
  if (registered === null || arm === undefined) return fail(`${nameOf(of)} is not registered.`);
  const facts = [registered, revision];
  const [ours, served] = [registered.data.digest, arm.digest].map((one) => one.slice(0, 12));
  return registered.data.digest === arm.digest
    ? pass(`Registry and route have sha256 ${ours}.`, facts)
    : fail(`The registry has sha256 ${ours}, the route ${served}.`, facts);
}
