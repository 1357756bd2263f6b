import { challengeOf, decisionsOf, loopOf, type Production } from './production.ts';
import { micros } from '../../base/time.ts';
import type { Known } from './facts.ts';
import { ACCEPTED_SHARE, EVALUATIONS_SHARE, TRIGGER_TO_TRAFFIC_HOURS } from './targets.ts';
import {
  counted,
  dayOf,
  exercised,
  expired,
  fail,
  pass,
  percent,
  unknown,
  type CheckRule,
  type FixText,
  type Verdict,
} from './verdict.ts';

const HOUR_MICROS = 3_600_000_000;

type Instance = Known<'instance'>;

function rehearse(of: Production): FixText {
  return [
    'Let the loop of the endpoint retrain on a trigger of its own; one by hand proves only the rest of the path.',
    `millwright loop why ${loopOf(of)}`,
  ];
}

function guardFix(of: Production): FixText {
  return [
    'Put a version that should fail before the gate with a recorded override; the guard has to take it back.',
    `millwright loop challenge ${loopOf(of)} VERSION --override "drill of the guard"`,
  ];
}

/** The loop closes. */
export const CHECKS_L3: readonly CheckRule[] = [
  {
    id: 'D1',
    level: 3,
    need: 'required',
    title: `inputs, predictions and quality are monitored, ${percent(EVALUATIONS_SHARE)} of the time`,
    effort: 'minutes',
    fix: ({ endpoint }) => [
      'Declare the endpoint in the section monitors; evaluations follow the clock.',
      `millwright monitors run ${endpoint}`,
    ],
    judge: judgeMonitoring,
  },
  {
    id: 'D2',
    level: 3,
    need: 'required',
    title: 'predictions join their labels; coverage and delay are known',
    effort: 'hours',
    fix: ({ endpoint }) => [
      'Declare the label in the section labels with the endpoint’s key as its match.',
      `millwright labels status ${endpoint}`,
    ],
    judge: judgeLabels,
  },
  {
    id: 'D3',
    level: 3,
    need: 'required',
    title: 'a retrain was triggered by a monitor or new data',
    effort: 'days',
    fix: rehearse,
    judge: judgeTrigger,
  },
  {
    id: 'D4',
    level: 3,
    need: 'required',
    title: 'it ended by policy without a person, with reasons',
    effort: 'days',
    fix: rehearse,
    judge: judgeOutcome,
  },
  {
    id: 'D5',
    level: 3,
    need: 'required',
    title: 'an automatic rollback was exercised',
    effort: 'hours',
    fix: guardFix,
    judge: ({ book }) =>
      exercised(
        book,
        book
          .all('decision')
          .filter(({ data }) => data.decision === 'rolled_back' && data.actor === 'loop'),
        {
          seen: ({ at, data }) => `${dayOf(at)}: ${data.reason}`,
          never: 'No guard has ever rolled back by itself.',
        },
      ),
  },
  {
    id: 'D6',
    level: 3,
    need: 'required',
    title: 'cooldown, budget and least rows are set and were seen to block',
    effort: 'days',
    fix: rehearse,
    judge: judgeLimits,
  },
  {
    id: 'D7',
    level: 3,
    need: 'bonus',
    title: `from trigger to traffic in ${TRIGGER_TO_TRAFFIC_HOURS} hours, 9 of 10 times`,
    effort: 'days',
    fix: (of) => [
      'Look at where the time went: training, the gate, or waiting for approval.',
      `millwright loop decisions ${loopOf(of)}`,
    ],
    judge: judgeSpeed,
  },
  {
    id: 'D8',
    level: 3,
    need: 'required',
    title: 'there was no storm of triggers',
    effort: 'hours',
    fix: () => [
      'Lower the budget, or raise what a trigger needs, in the section loops.',
      'millwright apply',
    ],
    judge: judgeStorm,
  },
  {
    id: 'D9',
    level: 3,
    need: 'required',
    title: 'it is declared how answers influence labels',
    effort: 'unavailable',
    fix: () => ['Attestations cannot be recorded yet.', null],
    judge: ({ book }) =>
      book.all('attestation').length === 0
        ? unknown('Whether decisions change the labels that come after them is not on record.')
        : exercised(
            book,
            book.all('attestation').filter(({ data }) => data.about === 'feedback'),
            {
              seen: ({ data }) => `${data.by} signed: ${data.says}.`,
              never: 'Nobody has signed how answers influence labels.',
            },
          ),
  },
  {
    id: 'D10',
    level: 3,
    need: 'bonus',
    title: `${percent(ACCEPTED_SHARE)} of the triggers led to a better version`,
    effort: 'days',
    fix: (of) => [
      'Ask triggers for more: a larger drop, or more days.',
      `millwright loop decisions ${loopOf(of)}`,
    ],
    judge: judgeNoise,
  },
  {
    id: 'D11',
    level: 3,
    need: 'required',
    title: 'a silent source was detected',
    effort: 'hours',
    fix: ({ endpoint }) => [
      'Hold back the rows of the label source for longer than its usual silence, and see the alert.',
      `millwright monitors show ${endpoint}`,
    ],
    judge: judgeSilence,
  },
  {
    id: 'D12',
    level: 3,
    need: 'required',
    title: 'the way of an alert to a person was tested',
    effort: 'unavailable',
    fix: () => ['Deliveries of alerts cannot be recorded yet; webhooks send them.', null],
    judge: judgePager,
  },
  {
    id: 'D13',
    level: 3,
    need: 'required',
    title: 'the guard of the version that answers has passed',
    effort: 'days',
    fix: (of) => [
      'Let the guard see the requests and the time it asks for.',
      `millwright loop status ${loopOf(of)}`,
    ],
    judge: judgeGuard,
  },
];

const WATCHED = { drift: 'inputs', score_drift: 'predictions', quality: 'quality' } as const;

function judgeMonitoring({ book, endpoint }: Production): Verdict {
  const monitor = book.find('monitor', endpoint);
  const found = book.recent('evaluation');
  if (monitor === null || !monitor.data.isAuto) {
    const [old] = book.all('evaluation');
    if (found.length === 0 && old !== undefined) return expired(book, old);
    return fail(`No monitor of ${endpoint} runs by itself.`, found);
  }
  const [newest] = found;
  const [oldest] = found.toReversed();
  if (newest === undefined || oldest === undefined) {
    return fail(`The monitor of ${endpoint} is declared, but has not evaluated anything.`);
  }
  const { everyMicros } = monitor.data;
  // From the first one on: before it, there was nothing to evaluate or no monitor.
  const expected = Math.max(1, Math.floor((book.now - oldest.at) / everyMicros) + 1);
  const share = Math.min(1, found.length / expected);
  const facts = [newest, oldest];
  const shown = `${found.length} of ${expected} expected evaluations (${percent(share)})`;
  if (share < EVALUATIONS_SHARE) return fail(`Only ${shown} took place.`, facts);
  const seen = new Set(
    found
      .flatMap(({ data }) => data.kinds ?? [])
      .filter(({ state }) => state !== 'no_data')
      .map(({ kind }) => kind),
  );
  const missing = Object.entries(WATCHED).filter(([kind]) => !seen.has(kind));
  if (missing.length === 0) return pass(`${shown}, with inputs, predictions and quality.`, facts);
  const names = missing.map(([, name]) => name).join(', ');
  return fail(`${shown} took place, but nothing could be said of ${names}.`, facts);
}

function judgeLabels({ book, endpoint }: Production): Verdict {
  const labels = book.find('labels', endpoint);
  if (labels === null || labels.data.requests === 0) {
    return fail(`No answered request of ${endpoint} is on record for the last days.`);
  }
  const { label, days, requests, mature, coverage, delays } = labels.data;
  const shown = `${requests} requests of ${days} days`;
  if (label === null) return fail(`${shown} are logged, but no label is declared.`, [labels]);
  if (coverage === null || mature === 0) {
    return unknown(`${shown} are logged; none is old enough for its label.`, [labels]);
  }
  const half = delays.find(({ share }) => share >= coverage / 2);
  if (half === undefined || coverage === 0) {
    return fail(`Of ${mature} mature requests none has a label.`, [labels]);
  }
  const hours = (half.seconds / 3600).toFixed(1);
  return pass(
    `${shown} with their versions; ${percent(coverage)} of ${mature} mature ones have a label, half within ${hours} hours.`,
    [labels],
  );
}

function retrains({ book }: Production): readonly Instance[] {
  return book.all('instance').filter(({ data }) => data.isTraining);
}

/** What a monitor or new data makes a loop want; an age is a schedule. */
const SEEN_CAUSES = ['quality', 'drift', 'new_rows'];

/** One that began otherwise later on takes nothing from what was proven. */
function judgeTrigger(of: Production): Verdict {
  const all = retrains(of);
  const begun = ({ data }: Instance) => dayOf(micros(data.startedAt));
  const seen = all.filter(({ data }) => data.causes.some((cause) => SEEN_CAUSES.includes(cause)));
  const [last] = all;
  if (last !== undefined && seen.length === 0) {
    const causes = [...new Set(all.flatMap(({ data }) => data.causes))].join(', ');
    const count = counted(all.length, 'retrain');
    return fail(`${count}, none by a monitor or new data; they began by ${causes}.`, all);
  }
  return exercised(of.book, seen, {
    seen: (one) => `The retrain of ${begun(one)} began because of ${one.data.causes.join(', ')}.`,
    never: 'The loop has not retrained.',
  });
}

const BY_POLICY = ['promoted', 'rolled_back', 'rejected', 'held'];

function judgeOutcome(of: Production): Verdict {
  const { book } = of;
  const over = retrains(of).filter(({ data }) => !data.isManual && BY_POLICY.includes(data.state));
  const [last] = over;
  if (last === undefined) return fail('No retrain that began by itself has come to its end.');
  if (!book.isRecent(last)) return expired(book, last);
  const decisions = decisionsOf(book, last);
  const person = decisions.find(({ data }) => data.actor !== 'loop');
  if (person !== undefined) {
    return fail(`${person.data.actor} had a hand in it: ${person.data.reason}`, [person, last]);
  }
  const begun = dayOf(micros(last.data.startedAt));
  const shown = `The retrain of ${begun} was ${last.data.state}`;
  return decisions.length === 0
    ? unknown(`${shown}, but its decisions are not on record.`, [last])
    : pass(`${shown} after ${counted(decisions.length, 'decision')}, all of the loop.`, [
        last,
        ...decisions,
      ]);
}

function judgeLimits({ book }: Production): Verdict {
  const [loop] = book.all('loop');
  if (loop === undefined) return fail('No loop is declared.');
  const blocked = book.all('decision').filter(({ data }) => data.blockedBy.length > 0);
  return exercised(book, blocked, {
    seen: ({ at, data }) =>
      `${counted(blocked.length, 'trigger')} held back, last by ${data.blockedBy.join(', ')} on ${dayOf(at)}.`,
    never: `At most ${counted(loop.data.retrains, 'retrain')} and at least ${loop.data.minRows} rows are declared, but no limit has held a trigger back yet.`,
  });
}

function judgeSpeed(of: Production): Verdict {
  const { book } = of;
  const hours = retrains(of)
    .filter((one) => book.isRecent(one) && one.data.deployedAt !== null)
    .map((one) => (one.data.deployedAt! - one.data.startedAt) / HOUR_MICROS)
    .toSorted((a, b) => a - b);
  const deployed = retrains(of).filter(({ data }) => data.deployedAt !== null);
  if (hours.length === 0) return unknown('No retrain of the last days got to traffic.');
  const p90 = hours[Math.ceil(hours.length * 0.9) - 1]!;
  const why = `${counted(hours.length, 'retrain')} got to traffic; 9 of 10 within ${p90.toFixed(1)} hours.`;
  return p90 <= TRIGGER_TO_TRAFFIC_HOURS ? pass(why, deployed) : fail(why, deployed);
}

/** The most retrains that began within one span of the budget. */
function judgeStorm(of: Production): Verdict {
  const { book } = of;
  const [loop] = book.all('loop');
  if (loop === undefined) return fail('No loop is declared.');
  const begun = retrains(of).filter((one) => book.isRecent(one));
  if (begun.length === 0) {
    const [old] = retrains(of);
    return old === undefined ? fail('The loop has not retrained.') : expired(book, old);
  }
  const { retrains: limit, perMicros } = loop.data;
  const within = ({ data: { startedAt: end } }: Instance) =>
    begun.filter(({ data }) => data.startedAt <= end && data.startedAt > end - perMicros).length;
  const most = Math.max(...begun.map(within));
  const days = Math.round(perMicros / (24 * HOUR_MICROS));
  const why = `At most ${counted(most, 'retrain')} began within ${counted(days, 'day')}; ${limit} are allowed.`;
  return most <= limit ? pass(why, begun) : fail(why, begun);
}

function judgeNoise(of: Production): Verdict {
  const { book } = of;
  const over = retrains(of).filter(
    (one) =>
      book.isRecent(one) && !one.data.isManual && [...BY_POLICY, 'failed'].includes(one.data.state),
  );
  if (over.length === 0) return unknown('No retrain of the last days began by itself and ended.');
  const accepted = over.filter(({ data }) => data.state === 'promoted');
  const share = accepted.length / over.length;
  const why = `${accepted.length} of ${counted(over.length, 'retrain')} led to a better version.`;
  return share >= ACCEPTED_SHARE ? pass(why, over) : fail(why, over);
}

function judgeSilence({ book }: Production): Verdict {
  const silent = book
    .all('evaluation')
    .filter(({ data }) =>
      data.loud.some(({ kind, state }) => kind === 'label_silence' && state === 'alert'),
    );
  const looks = book.recent('evaluation').length;
  return exercised(book, silent, {
    seen: ({ at }) => `The evaluation of ${dayOf(at)} told of a silent label source.`,
    never: `${counted(looks, 'evaluation')} looked for silence, and no source was ever silent: the alert is not proven.`,
  });
}

function judgePager({ book }: Production): Verdict {
  const tests = book.all('pager_test');
  if (tests.length === 0) return unknown('No delivery of a test alert is on record.');
  const arrived = tests.filter(({ data }) => data.delivered);
  return exercised(book, arrived, {
    seen: ({ at }) => `A test alert arrived on ${dayOf(at)}.`,
    never: 'No test alert has arrived.',
  });
}

function judgeGuard(of: Production): Verdict {
  const { version, deployed } = of;
  const instance = challengeOf(of);
  if (instance?.data.state === 'rolling_out') {
    return unknown(`v${version} is being rolled out.`, [instance, deployed]);
  }
  if (instance === null || instance.data.deployedAt === null) {
    return fail(`v${version} came into traffic past the loop, and no guard looked at it.`, [
      deployed,
    ]);
  }
  const decisions = decisionsOf(of.book, instance);
  const promoted = decisions.filter(({ data }) => data.decision === 'promoted');
  const [last] = promoted;
  if (last !== undefined) return pass(last.data.reason, [last, instance]);
  return instance.data.state === 'guarding'
    ? unknown(`The guard of v${version} is still looking.`, [instance])
    : fail(`The guard of v${version} ended as ${instance.data.state}.`, [instance]);
}
