import { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { nearestName } from '../../base/nearest-name.ts';
import type { Clock } from '../../base/time.ts';
import type { Declared, PlannedChange, PlanPart } from '../../platform/capability.ts';
import type { Events } from '../../platform/events/port.ts';
import { EndpointName } from '../predictions/contract.ts';
import { DriftSpec, MonitorSpec, PersistSpec, QualitySpec } from './contract.ts';
import type { MonitoringService } from './service.ts';
import type { MonitoringStore, StoredMonitor } from './store.ts';

export interface MonitorsPlanDeps {
  readonly store: MonitoringStore;
  readonly monitors: Pick<MonitoringService, 'put' | 'remove'>;
  /** Whether there is such an endpoint already. */
  readonly isEndpoint: (name: string) => Promise<boolean>;
  readonly events: Pick<Events, 'step'>;
  readonly clock: Pick<Clock, 'wall'>;
}

export const MonitorsSection = z.record(EndpointName, MonitorSpec);
/** Declared at once: each is evaluated by itself. */
const MONITORS_MAX = 1000;

interface Difference {
  readonly changes: readonly PlannedChange[];
  readonly put: readonly { readonly name: string; readonly spec: MonitorSpec }[];
  readonly remove: readonly string[];
}

/** The section `monitors`: one an endpoint, by its name; one that is not declared is removed. */
export function monitorsPlan(deps: MonitorsPlanDeps): PlanPart {
  return {
    sections: ['monitors'],
    plan: async (declared) => (await difference(declared, deps)).changes,
    apply: async (declared, actor) => {
      const { changes, put, remove } = await difference(declared, deps);
      if (changes.length === 0) return changes;
      const { store, monitors, events, clock } = deps;
      const appliedAt = clock.wall();
      const data = { changes: changes.map(({ action, name }) => ({ action, name })) };
      await store.write([
        ...put.flatMap(({ name, spec }) =>
          monitors.put({ name, spec, appliedAt, appliedBy: actor }),
        ),
        ...remove.flatMap((name) => monitors.remove(name)),
        events.step({ actor, kind: 'monitors.applied', subject: 'monitors', data }),
      ]);
      return changes;
    },
  };
}

async function difference(declared: Declared, deps: MonitorsPlanDeps): Promise<Difference> {
  const wanted = specs(declared['monitors']);
  const known = await deps.store.monitors({ after: null, limit: MONITORS_MAX });
  const changes: PlannedChange[] = [];
  const put: { name: string; spec: MonitorSpec }[] = [];
  for (const [name, spec] of wanted) {
    await assertEndpoint(name, declared, deps);
    assertLabel(name, spec, declared);
    const former = known.find((one) => one.name === name);
    const change = former === undefined ? created(name, spec) : changed(name, former, spec);
    if (change === null) continue;
    changes.push(change);
    put.push({ name, spec });
  }
  const names = new Set(wanted.map(([name]) => name));
  const remove = known.map(({ name }) => name).filter((name) => !names.has(name));
  for (const name of remove) {
    const summary = 'no longer declared; its evaluations are kept';
    changes.push({ action: 'remove', kind: 'monitor', name, summary });
  }
  return { changes, put, remove };
}

function specs(section: unknown): readonly (readonly [string, MonitorSpec])[] {
  const parsed = MonitorsSection.safeParse(section ?? {});
  if (!parsed.success) throw firstIssue(parsed.error);
  const found = Object.entries(parsed.data);
  if (found.length <= MONITORS_MAX) return found;
  throw invalid(['monitors'], `There are more than ${MONITORS_MAX} monitors.`);
}

function firstIssue(error: z.ZodError): AppError {
  const [issue] = error.issues;
  const path = ['monitors', ...issue!.path.map((part) => (typeof part === 'symbol' ? '' : part))];
  if (issue!.code !== 'unrecognized_keys') return invalid(path, issue!.message);
  const [key] = issue.keys;
  const known = knownKeys(path);
  const near = nearestName(key!, known);
  const hint = near === null ? `Known are ${known.join(', ')}.` : `Did you mean ${near}?`;
  return invalid([...path, key!], `There is no setting ${key}.`, hint);
}

const PARTS: Readonly<Record<string, readonly string[]>> = {
  quality: Object.keys(QualitySpec.shape),
  drift: Object.keys(DriftSpec.shape),
  persist: Object.keys(PersistSpec.shape),
};

function knownKeys([, , part]: readonly (string | number)[]): readonly string[] {
  return PARTS[String(part)] ?? Object.keys(MonitorSpec.shape);
}

async function assertEndpoint(
  name: string,
  declared: Declared,
  { isEndpoint }: MonitorsPlanDeps,
): Promise<void> {
  const names = keysOf(declared['endpoints']);
  if (names.includes(name) || (await isEndpoint(name))) return;
  const near = nearestName(name, names);
  const hint = near === null ? 'A monitor has the name of its endpoint.' : `Did you mean ${near}?`;
  throw invalid(['monitors', name], `There is no endpoint ${name}.`, hint);
}

function assertLabel(name: string, { label }: MonitorSpec, declared: Declared): void {
  const labels = keysOf(declared['labels']);
  if (label === undefined || labels.includes(label)) return;
  const near = nearestName(label, labels);
  const hint = near === null ? 'Declare it in the section labels.' : `Did you mean ${near}?`;
  throw invalid(['monitors', name, 'label'], `There is no label ${label}.`, hint);
}

function keysOf(section: unknown): readonly string[] {
  return typeof section === 'object' && section !== null ? Object.keys(section) : [];
}

function invalid(path: readonly (string | number)[], message: string, hint?: string): AppError {
  const details = { path };
  return new AppError(
    'INVALID_CONFIG',
    message,
    hint === undefined ? { details } : { hint, details },
  );
}

function created(name: string, spec: MonitorSpec): PlannedChange {
  const { quality, drift, persist, every, auto } = spec;
  const when = auto ? `every ${every}` : 'when asked';
  const summary =
    `${when}: ${quality.metric} over ${quality.window} (drop ${quality.drop}), drift over ` +
    `${drift.window}; alerts by ${persist.at_least} of ${persist.of}`;
  return { action: 'create', kind: 'monitor', name, summary };
}

function changed(name: string, former: StoredMonitor, spec: MonitorSpec): PlannedChange | null {
  const [before, after] = [flat(former.spec), flat(spec)];
  const parts = [...new Set([...before.keys(), ...after.keys()])].flatMap((key) => {
    const [old, next] = [before.get(key) ?? 'none', after.get(key) ?? 'none'];
    return old === next ? [] : [`${key} ${old} → ${next}`];
  });
  if (parts.length === 0) return null;
  return { action: 'change', kind: 'monitor', name, summary: parts.join(', ') };
}

/** Settings by their path, such as `quality.window`. */
function flat(spec: MonitorSpec): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(spec)) {
    if (typeof value !== 'object' || Array.isArray(value)) {
      found.set(key, Array.isArray(value) ? value.join(' ') || 'none' : String(value));
      continue;
    }
    for (const [inner, of] of Object.entries(value)) found.set(`${key}.${inner}`, String(of));
  }
  return found;
}
