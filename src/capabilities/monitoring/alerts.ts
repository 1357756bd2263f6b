import type { EventInput } from '../../platform/events/port.ts';
import { listed } from './check-of.ts';
import type { Check, CheckKind } from './contract.ts';

/** Who fires: the program by itself. */
export const MONITOR_ACTOR = 'monitor';

/** All findings of one kind on one version together: whoever is woken wants one message. */
interface Alert {
  readonly kind: CheckKind;
  readonly version: number | null;
  readonly checks: readonly Check[];
}

/**
 * Events that tell of alerts which began and ended between two evaluations: `alert.fired` and
 * `alert.resolved`, with an alert in the form of Alertmanager's webhook in their data.
 */
export function alertEvents(of: {
  readonly monitor: string;
  readonly evaluation: string;
  readonly at: string;
  readonly checks: readonly Check[];
  readonly former: readonly Check[];
}): readonly EventInput[] {
  const now = alertsOf(of.checks);
  const before = alertsOf(of.former);
  const events: EventInput[] = [];
  for (const [key, alert] of now) {
    const known = before.get(key);
    const isNew =
      known === undefined ||
      alert.checks.some(({ subject }) => known.checks.every((one) => one.subject !== subject));
    if (isNew) events.push(alertEvent(of, alert, null));
  }
  for (const [key, alert] of before) {
    if (!now.has(key)) events.push(alertEvent(of, alert, of.at));
  }
  return events;
}

function alertsOf(checks: readonly Check[]): ReadonlyMap<string, Alert> {
  const alerts = new Map<string, Alert>();
  for (const check of checks) {
    if (check.state !== 'alert') continue;
    const { kind, version } = check;
    const key = `${kind}/${version ?? ''}`;
    const known = alerts.get(key)?.checks ?? [];
    alerts.set(key, { kind, version, checks: [...known, check] });
  }
  return alerts;
}

/** An alert that fires has no end yet: Alertmanager's zero time. */
const NO_END = '0001-01-01T00:00:00Z';
/** Explanations in one message. */
const SHOWN_MAX = 5;

function alertEvent(
  of: { readonly monitor: string; readonly evaluation: string; readonly at: string },
  { kind, version, checks }: Alert,
  endedAt: string | null,
): EventInput {
  const subjects = checks.map(({ subject }) => subject);
  const description = checks
    .slice(0, SHOWN_MAX)
    .map(({ subject, explanation }) => `${subject}: ${explanation}`)
    .join('\n');
  const what = kind.replace('_', ' ');
  const starts = checks.map(({ since }) => since ?? of.at).sort()[0] ?? of.at;
  return {
    actor: MONITOR_ACTOR,
    kind: endedAt === null ? 'alert.fired' : 'alert.resolved',
    subject: `monitor/${of.monitor}`,
    data: {
      evaluation: of.evaluation,
      at: of.at,
      finding: { kind, version, subjects },
      alert: {
        status: endedAt === null ? 'firing' : 'resolved',
        labels: {
          alertname: `millwright_${kind}`,
          severity: 'warning',
          monitor: of.monitor,
          ...(version === null ? {} : { version: String(version) }),
        },
        annotations: {
          summary: `${of.monitor}: ${what} of ${listed(subjects)}`,
          description,
        },
        startsAt: starts,
        endsAt: endedAt ?? NO_END,
        generatorURL: `/api/v1/monitors/${of.monitor}/evaluations/${of.evaluation}`,
        fingerprint: `${of.monitor}/${kind}/${version ?? ''}`,
      },
    },
  };
}
