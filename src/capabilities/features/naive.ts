import { compileExpression, toDouble, type Row } from '../../formats/expression/evaluate.ts';
import type { CompiledAggregate, CompiledService, CompiledView } from './compiled.ts';
import { ExactSum } from './exact-sum.ts';

/** A row of a source's table, as it was appended. */
export interface NaiveEvent {
  readonly id: string | number;
  /** Microseconds. */
  readonly eventTime: number;
  /** Columns by name. */
  readonly row: Row;
}

/**
 * A service's vector at T, straight from the definition and without any cleverness: what the sweep
 * and the tiles are held against. `eventsOf` gives a source's events in the order of appending;
 * `inputs` has the keys and request inputs.
 */
export function naiveVector(
  service: CompiledService,
  eventsOf: (source: string) => readonly NaiveEvent[],
  at: { readonly inputs: Row; readonly time: number },
): (number | null)[] {
  return service.features.map((feature) => {
    if (feature.kind === 'request') {
      const expression = service.requestExpressions[feature.expression]!;
      const evaluate = compileExpression(expression, { zones: service.zones });
      return toDouble(evaluate({ ...at.inputs, T: at.time }));
    }
    const view = service.views.find(({ name }) => name === feature.view)!;
    const aggregate = view.aggregates.find(({ name }) => name === feature.aggregate)!;
    const window = view.windows.find(({ name }) => name === feature.window)!;
    const seen = latestRevisions(eventsOf(view.source.name)).filter(
      ({ eventTime, row }) =>
        eventTime >= at.time - window.micros && eventTime < at.time && hasKey(view, row, at.inputs),
    );
    return aggregated(aggregate, seen);
  });
}

/** Of several events with one id the one that was appended last. */
function latestRevisions(events: readonly NaiveEvent[]): readonly NaiveEvent[] {
  const byId = new Map<string | number, NaiveEvent>();
  for (const event of events) byId.set(event.id, event);
  return [...byId.values()];
}

function hasKey(view: CompiledView, row: Row, inputs: Row): boolean {
  return view.keys.every(({ name }) => {
    const known = row[name] !== null && row[name] !== undefined;
    return known && row[name] === inputs[name];
  });
}

function aggregated(
  { function: kind, of }: CompiledAggregate,
  events: readonly NaiveEvent[],
): number | null {
  if (kind === 'count' || of === null) return events.length;
  const evaluate = compileExpression(of);
  const values = events.flatMap(({ row }) => toDouble(evaluate(row)) ?? []);
  if (values.length === 0) return null;
  if (kind === 'min') return values.reduce((least, value) => Math.min(least, value));
  if (kind === 'max') return values.reduce((most, value) => Math.max(most, value));
  const sum = new ExactSum();
  for (const value of values) sum.add(value);
  const result = kind === 'sum' ? sum.value() : sum.value() / values.length;
  return Number.isFinite(result) ? result : null;
}
