import { z } from 'zod';
import type { StoredEvent } from '../events/port.ts';

/** What an event that tells of an alert carries in `data.alert`. */
const AlertData = z.object({
  alert: z.object({
    status: z.enum(['firing', 'resolved']),
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
    startsAt: z.string(),
    endsAt: z.string(),
    generatorURL: z.string(),
    fingerprint: z.string(),
  }),
});

/**
 * The event as Alertmanager's webhook sends it (payload version 4), so that receivers made for that
 * take it; null for an event that tells of no alert.
 */
export function alertmanagerPayload(event: StoredEvent): Readonly<Record<string, unknown>> | null {
  const parsed = AlertData.safeParse(event.data);
  if (!parsed.success) return null;
  const { alert } = parsed.data;
  const { alertname = event.kind } = alert.labels;
  return {
    version: '4',
    groupKey: `{}:{alertname="${alertname}", fingerprint="${alert.fingerprint}"}`,
    truncatedAlerts: 0,
    status: alert.status,
    receiver: 'millwright',
    groupLabels: { alertname },
    commonLabels: alert.labels,
    commonAnnotations: alert.annotations,
    externalURL: '',
    alerts: [alert],
  };
}
