import { AppError } from '../../base/errors.ts';
import type { Declared, PlanPart } from '../../platform/capability.ts';
import { labelOf } from './declared-labels.ts';

/**
 * Refuses a file that leaves open which label an endpoint's requests get. It owns no section and
 * changes nothing: labels are features' and endpoints serving's, whose parts have checked them.
 */
export function labelsPlan(): PlanPart {
  const check = async (declared: Declared): Promise<readonly never[]> => {
    const labels = entries(declared['labels']).map(([name, { match }]) => ({
      name,
      match: String(match),
    }));
    for (const [name, { key }] of entries(declared['endpoints'])) {
      const endpoint = { name, key: typeof key === 'string' ? key : null };
      if (labelOf(endpoint, labels) !== 'ambiguous') continue;
      throw new AppError(
        'INVALID_CONFIG',
        `Several labels match by ${String(endpoint.key)}, the key of ${name}.`,
        {
          hint: `Name the one that requests of ${name} get ${name}.`,
          details: { path: ['endpoints', name, 'key'] },
        },
      );
    }
    return Promise.resolve([]);
  };
  return { sections: [], plan: check, apply: check };
}

function entries(section: unknown): readonly (readonly [string, Record<string, unknown>])[] {
  return Object.entries((section ?? {}) as Record<string, Record<string, unknown>>);
}
