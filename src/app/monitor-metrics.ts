import { Gauge } from 'prom-client';
import type { Check, CheckState } from '../capabilities/monitoring/contract.ts';
import type { MonitoringService } from '../capabilities/monitoring/service.ts';
import type { StoredEvaluation } from '../capabilities/monitoring/store.ts';
import { MICROS_PER_SECOND } from '../base/time.ts';

type Newest = Pick<MonitoringService, 'newest'>;
type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

const STATUS: Readonly<Record<CheckState, number>> = {
  ok: 0,
  warn: 1,
  alert: 2,
  no_data: 3,
  too_few_labels: 3,
};

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly samples: (evaluation: StoredEvaluation) => readonly Sample[];
}

const BY_MONITOR: readonly Metric[] = [
  {
    name: 'monitor_status',
    help: '0 ok, 1 warn, 2 alert, 3 nothing can be said',
    labelNames: ['monitor'],
    samples: ({ monitor, state }) => [[{ monitor }, STATUS[state]]],
  },
  {
    name: 'monitor_last_run_timestamp_seconds',
    help: 'Domain time as of which the monitor was evaluated last',
    labelNames: ['monitor'],
    samples: ({ monitor, at }) => [[{ monitor }, at / MICROS_PER_SECOND]],
  },
  {
    name: 'monitor_run_duration_seconds',
    help: 'What the last evaluation took',
    labelNames: ['monitor'],
    samples: ({ monitor, seconds }) => [[{ monitor }, seconds]],
  },
  {
    name: 'alerts_firing',
    help: 'Checks that are an alert',
    labelNames: ['monitor'],
    samples: ({ monitor, checks }) => [
      [{ monitor }, checks.filter(({ state }) => state === 'alert').length],
    ],
  },
];

const BY_CHECK: readonly Metric[] = [
  ofChecks('quality', 'value', {
    name: 'performance',
    help: 'The quality metric over the window of matured days',
    subject: 'metric',
  }),
  ofChecks('quality', 'reference', {
    name: 'performance_reference',
    help: 'The same over the first days of the version in traffic',
    subject: 'metric',
  }),
  ofChecks('labels', 'value', {
    name: 'label_coverage_ratio',
    help: 'Share of mature requests with a label',
    subject: 'label',
  }),
  ofChecks('score_drift', 'value', {
    name: 'prediction_drift_score',
    help: 'Jensen-Shannon distance of the scores from those on the training rows',
    subject: null,
  }),
  ofChecks('drift', 'value', {
    name: 'feature_drift_score',
    help: 'Jensen-Shannon distance of a feature from the training rows',
    subject: 'feature',
  }),
  ofChecks('drift', 'threshold', {
    name: 'feature_drift_threshold',
    help: 'What that distance has to exceed to be told of',
    subject: 'feature',
  }),
];

/** What the newest evaluation of each monitor found, read when it is scraped. */
export function monitorMetrics(monitors: Newest): readonly Gauge[] {
  return [...BY_MONITOR, ...BY_CHECK].map((metric) => gaugeOf(metric, monitors));
}

/** A number of the checks of one kind; `subject` is the label that names what each is of. */
function ofChecks(
  kind: Check['kind'],
  number: 'value' | 'reference' | 'threshold',
  of: { readonly name: string; readonly help: string; readonly subject: string | null },
): Metric {
  const { name, help, subject } = of;
  // Labels are of all versions together.
  const isByVersion = kind !== 'labels';
  return {
    name,
    help,
    labelNames: [
      'monitor',
      ...(isByVersion ? ['version'] : []),
      ...(subject === null ? [] : [subject]),
    ],
    samples: ({ monitor, checks }) =>
      checks.flatMap((check): readonly Sample[] => {
        const value = check.kind === kind ? check[number] : null;
        if (value === null) return [];
        const labels = {
          monitor,
          ...(isByVersion ? { version: String(check.version) } : {}),
          ...(subject === null ? {} : { [subject]: check.subject }),
        };
        return [[labels, value]];
      }),
  };
}

function gaugeOf({ name, help, labelNames, samples }: Metric, monitors: Newest): Gauge {
  return new Gauge({
    name: `millwright_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [],
    collect() {
      this.reset();
      for (const [labels, value] of monitors.newest().flatMap(samples)) this.set(labels, value);
    },
  });
}
