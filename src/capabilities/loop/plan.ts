import { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { nearestName } from '../../base/nearest-name.ts';
import type { Declared, PlannedChange, PlanPart } from '../../platform/capability.ts';
import { LoopName, LoopSpec } from './contract.ts';
import type { LoopService } from './service.ts';

/** The section `loops`: what starts a retrain, and what a new version has to stand. */
export const LoopsSection = z.record(LoopName, LoopSpec);
const KEYS = Object.keys(LoopSpec.shape);

interface PlanDeps {
  readonly loops: Pick<LoopService, 'declare' | 'remove' | 'declared' | 'isBusy'>;
  /** Whether the endpoint is there. */
  readonly hasEndpoint: (name: string) => Promise<boolean>;
}

interface Difference {
  readonly name: string;
  /** Null: it is removed. */
  readonly spec: LoopSpec | null;
  readonly change: PlannedChange;
}

/** Loops of `millwright.yaml`; one that the file does not name is removed, its decisions stay. */
export function loopsPlan(deps: PlanDeps): PlanPart {
  return {
    sections: ['loops'],
    plan: async (declared) => (await differences(declared, deps)).map(({ change }) => change),
    apply: async (declared, actor) => {
      const found = await differences(declared, deps);
      for (const { name, spec } of found) {
        if (spec === null) await deps.loops.remove(name, actor);
        else await deps.loops.declare(name, spec, actor);
      }
      return found.map(({ change }) => change);
    },
  };
}

async function differences(
  declared: Declared,
  { loops, hasEndpoint }: PlanDeps,
): Promise<readonly Difference[]> {
  const parsed = LoopsSection.safeParse(declared['loops'] ?? {});
  if (!parsed.success) throw firstIssue(parsed.error);
  const former = await loops.declared();
  const found: Difference[] = [];
  const guarded = new Map<string, string>();
  const declaredEndpoints = namesOf(declared['endpoints']);
  for (const [name, spec] of Object.entries(parsed.data)) {
    const endpoint = spec.endpoint ?? name;
    if (!declaredEndpoints.includes(endpoint) && !(await hasEndpoint(endpoint))) {
      const path = ['loops', name, ...(spec.endpoint === undefined ? [] : ['endpoint'])];
      throw invalid(path, `There is no endpoint ${endpoint} for the loop ${name}.`, {
        hint: 'A loop keeps an endpoint good: declare it in the section endpoints.',
      });
    }
    const other = guarded.get(endpoint);
    if (other !== undefined) {
      throw invalid(['loops', name], `The endpoint ${endpoint} has the loop ${other} already.`, {
        hint: 'Two loops of one endpoint would take back what the other does.',
      });
    }
    guarded.set(endpoint, name);
    assertTriggers(name, spec);
    const change = compare(name, former.get(name) ?? null, spec);
    if (change !== null) found.push({ name, spec, change });
  }
  for (const name of former.keys()) {
    if (parsed.data[name] !== undefined) continue;
    if (await loops.isBusy(name)) {
      throw invalid(['loops'], `The loop ${name} would be removed, but it is under way.`, {
        hint: `Wait for its end; see: millwright loop why ${name}`,
      });
    }
    const summary = 'its decisions stay on record';
    found.push({ name, spec: null, change: { action: 'remove', kind: 'loop', name, summary } });
  }
  return found;
}

function namesOf(section: unknown): readonly string[] {
  return typeof section === 'object' && section !== null ? Object.keys(section) : [];
}

function assertTriggers(name: string, { triggers }: LoopSpec): void {
  const kinds = triggers.map(kindOf);
  const twice = kinds.find((kind, index) => kinds.indexOf(kind) !== index);
  if (twice === undefined) return;
  throw invalid(['loops', name, 'triggers'], `The trigger ${twice} stands there twice.`, {
    hint: 'Each kind counts once.',
  });
}

function kindOf(trigger: LoopSpec['triggers'][number]): string {
  return typeof trigger === 'string' ? trigger : Object.keys(trigger)[0]!;
}

function compare(name: string, former: LoopSpec | null, spec: LoopSpec): PlannedChange | null {
  if (former === null) {
    const triggers = spec.triggers.map(textOf).join(', ');
    const summary = `${spec.pipeline} on ${triggers}; autonomy ${spec.autonomy}`;
    return { action: 'create', kind: 'loop', name, summary };
  }
  const keys = [...new Set([...Object.keys(former), ...Object.keys(spec)])] as (keyof LoopSpec)[];
  const parts = keys
    .filter((key) => JSON.stringify(former[key]) !== JSON.stringify(spec[key]))
    .map((key) => `${key} ${textOf(former[key])} → ${textOf(spec[key])}`);
  if (parts.length === 0) return null;
  return { action: 'change', kind: 'loop', name, summary: parts.join(', ') };
}

function textOf(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value).replaceAll('"', '');
}

function firstIssue(error: z.ZodError): AppError {
  const [issue] = error.issues;
  const path = ['loops', ...issue!.path.map((part) => (typeof part === 'symbol' ? '' : part))];
  if (issue!.code !== 'unrecognized_keys') return invalid(path, issue!.message);
  const [key] = issue.keys;
  const near = path.length === 2 ? nearestName(key!, KEYS) : null;
  return invalid([...path, key!], `There is no setting ${key}.`, {
    hint: near === null ? `Known are ${KEYS.join(', ')}.` : `Did you mean ${near}?`,
  });
}

function invalid(
  path: readonly (string | number)[],
  message: string,
  options: { readonly hint?: string } = {},
): AppError {
  return new AppError('INVALID_CONFIG', message, { ...options, details: { path } });
}
