import type { Check, Monitor } from '../../monitoring/contract.ts';
import { isAlarm } from './story.ts';

export interface OpenAlert {
  readonly monitor: string;
  readonly evaluation: string;
  readonly kind: string;
  readonly subject: string;
  readonly version: number | null;
  /** `late v2: missing origin_delays__late_2h`. */
  readonly title: string;
  readonly state: Check['state'];
  readonly explanation: string;
  readonly since: string | null;
}

/** What the newest evaluations are alarmed about, gravest first, then the oldest. */
export function openAlerts(monitors: readonly Monitor[]): readonly OpenAlert[] {
  return monitors
    .flatMap(({ name, latest }) =>
      (latest?.checks ?? []).filter(isAlarm).map((check) => toAlert(name, latest?.id ?? '', check)),
    )
    .toSorted(
      (a, b) =>
        Number(b.state === 'alert') - Number(a.state === 'alert') ||
        (a.since ?? '').localeCompare(b.since ?? ''),
    );
}

function toAlert(monitor: string, evaluation: string, check: Check): OpenAlert {
  const { kind, subject, version, state, explanation, since } = check;
  const of = version === null ? monitor : `${monitor} v${version}`;
  const what = [kind.replaceAll('_', ' '), ...(subject === '*' ? [] : [subject])].join(' ');
  return {
    monitor,
    evaluation,
    kind,
    subject,
    version,
    title: `${of}: ${what}`,
    state,
    explanation,
    since,
  };
}
