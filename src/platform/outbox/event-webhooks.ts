import { alertmanagerPayload } from './alertmanager-payload.ts';
import type { Webhook } from '../config/config.ts';
import { eventView } from '../events/event-view.ts';
import type { Events } from '../events/port.ts';
import type { Outbox } from './port.ts';

/** Puts every event a configured webhook asks for into the outbox, once, however often we crash. */
export async function sendEvents(
  webhooks: readonly Webhook[],
  to: { readonly events: Events; readonly outbox: Outbox },
): Promise<void> {
  if (webhooks.length === 0) return;
  await to.events.consume(
    'webhooks',
    async (event) =>
      webhooks
        .filter(({ events }) => events.some((pattern) => matches(pattern, event.kind)))
        .flatMap(({ url, format }) => {
          const payload =
            format === 'alertmanager' ? alertmanagerPayload(event) : { ...eventView(event) };
          if (payload === null) return [];
          return [
            to.outbox.step({ kind: 'webhook', target: url, key: String(event.seq), payload }),
          ];
        }),
    // A webhook added to an old workspace tells of what happens from then on.
    { from: 'next' },
  );
}

/** `route.*` stands for every kind that starts with `route.`, `*` for all. */
export function matches(pattern: string, kind: string): boolean {
  return pattern.endsWith('*') ? kind.startsWith(pattern.slice(0, -1)) : pattern === kind;
}
