import { AppError } from '../../base/errors.ts';
import type { ComparedFigures } from '../../capabilities/monitoring/compare-contract.ts';
import { sleep, systemClock } from '../../platform/system.ts';
import { ENDPOINT } from './flights-story.ts';
import type { Figures } from './quickstart-report.ts';
import { levelThree } from './report-figures.ts';
import { BEGINS, count, type Phase } from './story.ts';

/** What the replay has shown, counted by the server and checked against one another. */

/** The flush interval with room; after it every answered request is in its table. */
const FLUSH_WAIT_MS = 60_000;
const FLUSH_LOOK_MS = 100;

export const flush: Phase = async ({ tell, report, until }) => {
  const deadline = systemClock.elapsed() + FLUSH_WAIT_MS;
  for (;;) {
    const { answered, flushed, quarantined } = await tell.logStatus();
    if (flushed + quarantined >= answered) break;
    if (systemClock.elapsed() > deadline) {
      throw new AppError('TIMED_OUT', `Only ${flushed} of ${answered} are in the table.`);
    }
    await sleep(FLUSH_LOOK_MS);
  }
  report.versions = await tell.answeredByVersion(BEGINS, until);
  report.answered = report.versions.reduce((sum, { requests }) => sum + requests, 0);
  report.logged = await tell.loggedRows();
  const { requests, answered, logged } = report;
  return (
    `asked ${count(requests)}, answered ${count(answered)}, logged ${count(logged)} in table ` +
    `predictions.${ENDPOINT}`
  );
};

export const label: Phase = async ({ tell, report, until }) => {
  const { matched, pending, expired, coverage } = await tell.labelStates(BEGINS, until);
  report.labelled = matched;
  const covered = coverage === null ? '' : `, ${(100 * coverage).toFixed(2)} % of the mature ones`;
  return `${count(matched)} outcomes known${covered}; ${pending} to come, ${expired} never came`;
};

export const verify: Phase = async ({ tell, report }) => {
  const { rows, skipped, logicMismatches } = await tell.verify();
  report.recomputed = rows - skipped;
  report.mismatches = logicMismatches;
  return (
    `${count(rows - skipped)} of ${count(rows)} served vectors recomputed from the tables, ` +
    `mismatches ${logicMismatches}`
  );
};

/** The first version, scored on the vectors that were served, beside what was answered. */
export const compare: Phase = async ({ tell, report, until }) => {
  const { versions, periods, rows } = await tell.compareWithServed(1, BEGINS, until);
  const of = (all: readonly (ComparedFigures & { readonly version: number | 'served' })[]) => {
    const figures = (version: number | 'served'): Figures => {
      const found = all.find((one) => one.version === version);
      return { auc: found?.auc ?? null, logloss: found?.logLoss ?? null };
    };
    return { static: figures(1), loop: figures('served') };
  };
  const whole = of(versions);
  report.static = whole.static;
  report.loop = whole.loop;
  report.weeks = periods.map((period) => ({ from: period.from, ...of(period.versions) }));
  const text = ({ auc, logloss }: Figures): string =>
    `AUC ${auc?.toFixed(4) ?? '–'}, log-loss ${logloss?.toFixed(4) ?? '–'}`;
  return `on ${count(rows)} requests: February's model ${text(report.static)}; served ${text(report.loop)}`;
};

/** From what was recorded meanwhile, by the checks that hold for anybody. */
export const level: Phase = async ({ tell, report }) => {
  const found = await tell.level();
  report.level = found.level;
  report.checks = found.checks.map(({ id, state }) => ({ id, state }));
  const { exercised, of } = levelThree(report.checks);
  const next = found.next === null ? '' : `; next ${found.next.id}: ${found.next.why}`;
  return `level ${found.level}, level-3 checks exercised ${exercised} of ${of}${next}`;
};
