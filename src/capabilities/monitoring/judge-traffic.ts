import { wilsonInterval } from '../../base/stats/wilson.ts';
import { formatInstant, type Micros } from '../../base/time.ts';
import { checkOf, percent, shown, WHOLE, type CheckTopic } from './check-of.ts';
import type { Check } from './contract.ts';
import { DAY_MICROS } from './periods.ts';
import type { Slice } from './slice.ts';

/** Traffic by another factor than this is told of. */
const FACTOR = 3;
/** Fewer requests in a usual period are too few to be missed. */
const USUAL_MIN = 10;
/** A share of errors is told of from here on, and is an alert from the second one on. */
const ERRORS_WARN = 0.01;
const ERRORS_ALERT = 0.05;
/** Of their bounds: it is asked every day, and of endpoints with few requests too. */
const ERRORS_LEVEL = 0.999;
/** Times the usual share that errors have to be. */
const ERRORS_FACTOR = 3;

/** Requests of all versions in the last period. */
interface Period {
  readonly from: Micros;
  readonly until: Micros;
  readonly requests: number;
  readonly errors: number;
}

/**
 * Requests and errors of the newest period against the same time of day on earlier days. `slices`
 * are in the order of time; periods in which nothing came have none.
 */
export function judgeTraffic(of: {
  readonly from: Micros;
  readonly until: Micros;
  readonly slices: readonly Slice[];
}): readonly Check[] {
  const { from, until } = of;
  const now = periodOf(of.slices, { from, until });
  const length = until - from;
  const first = of.slices[0]?.from ?? from;
  const earlier: Period[] = [];
  for (let start = from - DAY_MICROS; start >= first; start -= DAY_MICROS) {
    const span = { from: start as Micros, until: (start + length) as Micros };
    earlier.push(periodOf(of.slices, span));
  }
  return [trafficCheck(now, earlier), errorsCheck(now, earlier)];
}

function periodOf(
  slices: readonly Slice[],
  { from, until }: { readonly from: Micros; readonly until: Micros },
): Period {
  let [requests, errors] = [0, 0];
  for (const slice of slices) {
    if (slice.from < from || slice.until > until) continue;
    requests += slice.requests;
    errors += slice.errors;
  }
  return { from, until, requests, errors };
}

function trafficCheck(now: Period, earlier: readonly Period[]): Check {
  const topic: CheckTopic = { kind: 'traffic', subject: WHOLE, version: null };
  const { requests } = now;
  if (earlier.length === 0) {
    const state = requests === 0 ? 'no_data' : 'ok';
    const text = `${requests} requests; there is no earlier day to compare with.`;
    return checkOf(topic, state, text, { value: requests, rows: requests });
  }
  const usual = medianOf(earlier.map((period) => period.requests));
  const found = { value: requests, reference: usual, rows: requests, days: earlier.length };
  const compared = `${requests} requests; on earlier days at this time ${shown(usual)}`;
  if (requests === 0 && usual >= USUAL_MIN) {
    const text = `No request between ${formatInstant(now.from)} and ${formatInstant(now.until)}; on earlier days ${shown(usual)}.`;
    return checkOf(topic, 'alert', text, { ...found, isBreach: true, threshold: 1 });
  }
  const isOther = usual >= USUAL_MIN && (requests * FACTOR < usual || requests > FACTOR * usual);
  if (!isOther) return checkOf(topic, requests === 0 ? 'no_data' : 'ok', `${compared}.`, found);
  const threshold = requests < usual ? usual / FACTOR : usual * FACTOR;
  const text = `${compared}: ${requests < usual ? 'far fewer' : 'far more'}.`;
  return checkOf(topic, 'warn', text, { ...found, isBreach: true, threshold });
}

function errorsCheck(now: Period, earlier: readonly Period[]): Check {
  const topic: CheckTopic = { kind: 'errors', subject: WHOLE, version: null };
  const { requests, errors } = now;
  const bounds = wilsonInterval(errors, requests, ERRORS_LEVEL);
  if (bounds === null) return checkOf(topic, 'no_data', 'Nothing was asked.');
  const usual = medianOf(
    earlier.filter((period) => period.requests > 0).map((one) => one.errors / one.requests),
  );
  const threshold = Math.max(ERRORS_WARN, ERRORS_FACTOR * usual);
  const isBreach = bounds.lower > threshold;
  const isGrave = isBreach && bounds.lower > ERRORS_ALERT;
  const text = `${errors} of ${requests} requests failed (${percent(bounds.share)}); usual are ${percent(usual)}.`;
  return checkOf(topic, isGrave ? 'alert' : isBreach ? 'warn' : 'ok', text, {
    isBreach,
    value: bounds.share,
    lower: bounds.lower,
    upper: bounds.upper,
    reference: usual,
    threshold,
    rows: requests,
    days: earlier.length,
  });
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
