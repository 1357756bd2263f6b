import { present } from '../../base/assert.ts';
import { parseInstant, type Micros } from '../../base/time.ts';
import { mount, type MountedRoute } from '../../platform/http/mount.ts';
import { compareOnLog, compareOnRows } from './compare-contract.ts';
import type { CompareService } from './compare-service.ts';
import { fixedHistory } from './fixed-contract.ts';

export function compareRoutes(service: CompareService): readonly MountedRoute[] {
  return [
    mount(compareOnLog, ({ params, body: { from, until, at, ...asked } }) =>
      service.onLog({
        ...params,
        ...asked,
        from: instant(from),
        until: instant(until),
        at: at === undefined ? undefined : instant(at),
      }),
    ),
    mount(fixedHistory, ({ params, query: { version, from, until } }) =>
      service.fixed.history({
        ...params,
        version,
        from: from === undefined ? undefined : instant(from),
        until: until === undefined ? undefined : instant(until),
      }),
    ),
    mount(compareOnRows, ({ params, body: { from, until, ...asked } }) =>
      service.onRows({
        ...params,
        ...asked,
        from: from === undefined ? undefined : instant(from),
        until: until === undefined ? undefined : instant(until),
      }),
    ),
  ];
}

function instant(text: string): Micros {
  return present(parseInstant(text), 'a parsed instant');
}
