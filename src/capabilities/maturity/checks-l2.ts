import { micros } from '../../base/time.ts';
import { challengeOf, decisionsOf, loopOf, mainVersion, type Production } from './production.ts';
import type { Known } from './facts.ts';
import { CARD_PARTS, COMMIT_TO_TRAFFIC_DAYS, ROLLBACK_MINUTES, SUITES } from './targets.ts';
import {
  counted,
  dayOf,
  exercised,
  expired,
  fail,
  nameOf,
  pass,
  unknown,
  type CheckRule,
  type FixText,
  type Verdict,
} from './verdict.ts';

const HOUR_MICROS = 3_600_000_000;
const DAY_MICROS = 24 * HOUR_MICROS;

const NO_CI: FixText = [
  'Millwright cannot record results of CI yet; until it does, nothing proves that changes pass it.',
  null,
];

function challengeFix(of: Production): FixText {
  return [
    'Let a new version pass the gate and the guard of a loop instead of deploying it by hand.',
    `millwright loop trigger ${loopOf(of)} --reason "v${of.version} was deployed by hand"`,
  ];
}

/** Changes go through review, CI and gates. */
export const CHECKS_L2: readonly CheckRule[] = [
  {
    id: 'C1',
    level: 2,
    need: 'required',
    title: 'the pipeline that runs came through CI',
    effort: 'unavailable',
    fix: () => NO_CI,
    judge: (of) => judgeCi(of, { has: () => true, what: 'a green result of CI' }),
  },
  {
    id: 'C2',
    level: 2,
    need: 'required',
    title: 'unit, data and model tests ran on that commit',
    effort: 'unavailable',
    fix: () => NO_CI,
    judge: (of) =>
      judgeCi(of, {
        has: ({ data }) => SUITES.every((suite) => data.suites.includes(suite)),
        what: `results of ${SUITES.join(', ')} tests`,
      }),
  },
  {
    id: 'C3',
    level: 2,
    need: 'required',
    title: 'CI ran the whole pipeline on sample data',
    effort: 'unavailable',
    fix: () => NO_CI,
    judge: (of) =>
      judgeCi(of, { has: ({ data }) => data.isSmokeRun, what: 'a run of the pipeline in CI' }),
  },
  {
    id: 'C4',
    level: 2,
    need: 'required',
    title: 'somebody else than the author approved the change',
    effort: 'unavailable',
    fix: () => ['Millwright cannot record reviews yet.', null],
    judge: judgeReview,
  },
  {
    id: 'C5',
    level: 2,
    need: 'required',
    title: 'the version was promoted by a gate, not by hand',
    effort: 'hours',
    fix: challengeFix,
    judge: judgeGate,
  },
  {
    id: 'C6',
    level: 2,
    need: 'required',
    title: 'the gate compared it with the version that answered then, on one window',
    effort: 'hours',
    fix: challengeFix,
    judge: judgeComparison,
  },
  {
    id: 'C7',
    level: 2,
    need: 'required',
    title: 'it was rolled out in stages with a recorded verdict',
    effort: 'hours',
    fix: challengeFix,
    judge: judgeRollout,
  },
  {
    id: 'C8',
    level: 2,
    need: 'required',
    title: `a rollback was exercised and took at most ${ROLLBACK_MINUTES} minutes`,
    effort: 'minutes',
    fix: ({ endpoint }) => [
      'Roll back once as a drill: it goes to the former revision and returns at once.',
      `millwright rollback ${endpoint} --drill`,
    ],
    judge: judgeRollback,
  },
  {
    id: 'C9',
    level: 2,
    need: 'required',
    title: 'what is declared is what runs',
    effort: 'minutes',
    fix: () => [
      'Apply what is declared, then look whether anything differs; the look is recorded.',
      'millwright apply && millwright plan',
    ],
    judge: judgeDeclared,
  },
  {
    id: 'C10',
    level: 2,
    need: 'bonus',
    title: 'the version has a complete model card',
    effort: 'hours',
    fix: ({ model, version }) => [
      `Describe ${model}@${version} by an MLflow client: ${CARD_PARTS.join(', ')}.`,
      null,
    ],
    judge: judgeCard,
  },
  {
    id: 'C11',
    level: 2,
    need: 'required',
    title: 'a retrain began by itself and ended in a deployment',
    effort: 'hours',
    fix: () => [
      'Declare a loop with the autonomy full, or train with approval; its next trigger does it.',
      'millwright apply',
    ],
    judge: judgeRetrain,
  },
  {
    id: 'C12',
    level: 2,
    need: 'required',
    title: 'secrets are given by reference only',
    effort: 'unavailable',
    fix: () => ['Millwright cannot look for secrets in what it records yet.', null],
    judge: judgeSecrets,
  },
  {
    id: 'C13',
    level: 2,
    need: 'bonus',
    title: `from commit to traffic in ${COMMIT_TO_TRAFFIC_DAYS} days at the median`,
    effort: 'days',
    fix: () => ['Run the pipeline when a change is merged.', 'millwright run'],
    judge: judgeLeadTime,
  },
  {
    id: 'C14',
    level: 2,
    need: 'required',
    title: 'the version ran in another environment before',
    effort: 'unavailable',
    fix: () => ['Millwright cannot take the evidence of another workspace yet.', null],
    judge: judgeStaging,
  },
];

function judgeCi(
  { book, run }: Production,
  rule: { readonly has: (result: Known<'ci'>) => boolean; readonly what: string },
): Verdict {
  const commit = run?.data.commit ?? null;
  const results = book.all('ci');
  if (results.length === 0) return unknown('No result of any CI is on record.');
  if (commit === null)
    return fail('What answers was made from no commit, so CI cannot have seen it.');
  const shown = `commit ${commit.slice(0, 12)}`;
  const own = results.filter(({ subject }) => subject === commit);
  if (own.length === 0) return fail(`CI has not seen ${shown}.`, results);
  const [newest] = own;
  if (!newest!.data.isGreen) return fail(`CI is red for ${shown}.`, own);
  return rule.has(newest!)
    ? pass(`There is ${rule.what} for ${shown}.`, own)
    : fail(`CI is green for ${shown}, but without ${rule.what}.`, own);
}

function judgeReview({ book, run }: Production): Verdict {
  const commit = run?.data.commit ?? null;
  if (book.all('review').length === 0) return unknown('No review is on record.');
  const review = book.find('review', commit);
  if (commit === null || review === null) return fail('The commit was merged without a review.');
  const { author, approvedBy } = review.data;
  const others = approvedBy.filter((name) => name !== author);
  const shown = `commit ${commit.slice(0, 12)} of ${author}`;
  return others.length > 0
    ? pass(`${others.join(', ')} approved ${shown}.`, [review])
    : fail(`Nobody but its author approved ${shown}.`, [review]);
}

function judgeGate(of: Production): Verdict {
  const { version, deployed, book } = of;
  const instance = challengeOf(of);
  const by = deployed.data.actor;
  if (instance === null) {
    return fail(`v${version} was deployed by ${by} without a gate.`, [deployed]);
  }
  const decisions = decisionsOf(book, instance);
  const forced = decisions.find(({ data }) => data.decision === 'overridden');
  if (forced !== undefined) {
    return fail(`The gate did not let v${version} pass; ${forced.data.actor} overrode it.`, [
      forced,
    ]);
  }
  const gate = decisions.find(({ data }) => data.decision === 'gate_passed');
  const facts = [...(gate === undefined ? [] : [gate]), deployed];
  return gate === undefined
    ? fail(`No gate let v${version} pass.`, facts)
    : pass(`The gate let v${version} pass on ${dayOf(gate.at)} before ${by} deployed it.`, facts);
}

function judgeComparison(of: Production): Verdict {
  const { version, deployed, book } = of;
  const instance = challengeOf(of);
  const gate = (instance === null ? [] : decisionsOf(book, instance)).find(
    ({ data }) => data.compared !== null && data.compared.challenger === version,
  );
  if (gate?.data.compared == null) return fail(`v${version} was compared with nothing by a gate.`);
  const { champion, rows, from, until } = gate.data.compared;
  const before = book
    .all('revision')
    .filter(({ data }) => data.revision < deployed.data.revision)
    .toSorted((a, b) => b.data.revision - a.data.revision)[0];
  const answered = before === undefined ? null : mainVersion(before.data.arms);
  const days = `${dayOf(micros(from))} to ${dayOf(micros(until))}`;
  const shown = `v${version} against v${champion} on ${rows} rows of ${days}`;
  if (answered === champion && rows > 0) return pass(`${shown}.`, [gate, before!]);
  const was = answered === null ? 'nothing answered before' : `v${answered} answered then`;
  return fail(`${shown}, but ${was}.`, [gate]);
}

function judgeRollout(of: Production): Verdict {
  const { version, deployed } = of;
  const instance = challengeOf(of);
  if (instance?.data.state === 'rolling_out') {
    return unknown(`v${version} is being rolled out.`, [instance, deployed]);
  }
  if (instance === null || instance.data.deployedAt === null) {
    const by = deployed.data.actor;
    return fail(`v${version} got all traffic at once from ${by}, with no verdict after it.`, [
      deployed,
    ]);
  }
  const { state } = instance.data;
  const facts = [instance, deployed];
  if (state === 'guarding') return unknown(`The guard of v${version} is still looking.`, facts);
  return state === 'promoted'
    ? pass(`v${version} took over blue/green and its guard passed.`, facts)
    : fail(`The rollout of v${version} ended as ${state}.`, facts);
}

function judgeRollback({ book, endpoint }: Production): Verdict {
  const done = book.all('revision').filter(({ data }) => data.restores !== null);
  const [newest] = done;
  if (newest === undefined) return fail(`No rollback of ${endpoint} was ever exercised.`);
  if (!book.isRecent(newest)) return expired(book, newest);
  const { tookMs, restores, revision, isDrill } = newest.data;
  const how = isDrill ? ' in a drill' : '';
  const shown = `revision ${revision} restored ${restores}${how} on ${dayOf(newest.at)}`;
  if (tookMs === null) return unknown(`${shown}; how long it took is not on record.`, [newest]);
  const took = tookMs < 10_000 ? `${Math.round(tookMs)} ms` : `${Math.round(tookMs / 1000)} s`;
  return tookMs <= ROLLBACK_MINUTES * 60_000
    ? pass(`${shown} in ${took}.`, done)
    : fail(`${shown}, but took ${took}.`, [newest]);
}

/** Seen to be in force, and not changed beside it: by the newest look after the newest change. */
function judgeDeclared({ book }: Production): Verdict {
  const [look] = book.all('plan_checked');
  const [applied] = book.all('applied');
  if (applied === undefined) return fail('Nothing was put in force by `millwright apply`.');
  const plan = `plan ${applied.data.plan} was applied on ${dayOf(applied.at)}`;
  // A replay clock may stand still between the two; the machine's does not.
  if (look === undefined || look.wall < applied.wall) {
    return unknown(`The ${plan}; nobody has looked since whether anything differs.`, [applied]);
  }
  if (!book.isRecent(look)) return expired(book, look);
  const { differences } = look.data;
  const seen = `The ${plan}; a look on ${dayOf(look.at)} found`;
  return differences === 0
    ? pass(`${seen} no difference.`, [look, applied])
    : fail(`${seen} ${counted(differences, 'difference')}.`, [look, applied]);
}

function judgeCard(of: Production): Verdict {
  const { registered } = of;
  const text = registered?.data.description.toLowerCase() ?? '';
  const missing = CARD_PARTS.filter((part) => !text.includes(part));
  const facts = registered === null ? [] : [registered];
  return missing.length === 0
    ? pass(`The description of ${nameOf(of)} has ${CARD_PARTS.join(', ')}.`, facts)
    : fail(`The description of ${nameOf(of)} has nothing on ${missing.join(', ')}.`, facts);
}

function judgeRetrain({ book }: Production): Verdict {
  const done = book
    .all('instance')
    .filter(({ data }) => data.isTraining && !data.isManual && data.deployedAt !== null);
  return exercised(book, done, {
    seen: ({ data }) =>
      `A retrain because of ${data.causes.join(', ')} put v${data.challenger} into traffic.`,
    never: 'No retrain that began by itself ended in a deployment.',
  });
}

function judgeSecrets({ book }: Production): Verdict {
  const [newest] = book.all('secrets_scan');
  if (newest === undefined) return unknown('Nobody has looked for secrets in what is recorded.');
  if (!book.isRecent(newest)) return expired(book, newest);
  const { found } = newest.data;
  return found === 0
    ? pass(`The look of ${dayOf(newest.at)} found none.`, [newest])
    : fail(`The look of ${dayOf(newest.at)} found ${counted(found, 'secret')}.`, [newest]);
}

function judgeLeadTime({ book, model }: Production): Verdict {
  const days = book
    .recent('revision')
    .filter(({ data }) => data.restores === null)
    .flatMap((revision) => {
      const version = mainVersion(revision.data.arms);
      const run = book.find('version', `${model}@${version}`)?.data.runId ?? null;
      const commit = book.find('commit', book.find('run', run)?.data.commit ?? null);
      if (commit === null) return [];
      return [{ revision, days: (revision.wall - commit.data.committedAt) / DAY_MICROS }];
    })
    .toSorted((a, b) => a.days - b.days);
  if (days.length === 0) return unknown('Of no deployment is the time of its commit known.');
  const median = days[Math.floor((days.length - 1) / 2)]!.days;
  const facts = days.map(({ revision }) => revision);
  const why = `${counted(days.length, 'deployment')}: ${median.toFixed(1)} days at the median.`;
  return median <= COMMIT_TO_TRAFFIC_DAYS ? pass(why, facts) : fail(why, facts);
}

function judgeStaging(of: Production): Verdict {
  const { book, deployed } = of;
  const staged = book.all('staged');
  if (staged.length === 0) return unknown('Evidence of another environment is not on record.');
  const own = staged.filter(
    ({ subject, at, data }) => subject === nameOf(of) && at <= deployed.at && data.passed,
  );
  const [first] = own;
  return first === undefined
    ? fail(`${nameOf(of)} passed in no other environment before it answered here.`)
    : pass(`${nameOf(of)} passed in ${first.data.environment} on ${dayOf(first.at)}.`, own);
}
