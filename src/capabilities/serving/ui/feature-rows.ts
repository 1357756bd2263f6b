import { z } from 'zod';
import type { TracedFeatures } from '../contract.ts';

export interface FeatureRow {
  /** Of the request's rows, from 1. */
  readonly row: number;
  readonly name: string;
  readonly served: number | null;
  /** Undefined when nothing was recomputed. */
  readonly recomputed: number | null | undefined;
  readonly isSame: boolean | null;
}

/** Every feature of every row, the ones that differ first. */
export function featureRows({ rows }: TracedFeatures): readonly FeatureRow[] {
  const all = rows.flatMap(({ values }, index) =>
    values.map(({ name, served, recomputed, isSame }) => ({
      row: index + 1,
      name,
      served,
      recomputed,
      isSame,
    })),
  );
  return [...all.filter(isDifferent), ...all.filter((row) => !isDifferent(row))];
}

function isDifferent({ isSame }: FeatureRow): boolean {
  return isSame === false;
}

export interface Agreement {
  readonly same: number;
  readonly different: number;
  readonly unknown: number;
}

export function agreement(rows: readonly FeatureRow[]): Agreement {
  return {
    same: rows.filter(({ isSame }) => isSame === true).length,
    different: rows.filter(isDifferent).length,
    unknown: rows.filter(({ isSame }) => isSame === null).length,
  };
}

/** What the entity of a row was, in a line: `origin=ORD, destination=LGA`. */
export function entityText(entity: TracedFeatures['rows'][number]['entity']): string {
  return Object.entries(entity)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

const Watermark = z.record(z.string(), z.number());

/** The table versions that the values saw, `flights.landings version 117` each. */
export function watermarkTexts(watermark: unknown): readonly string[] {
  const parsed = Watermark.safeParse(watermark);
  if (!parsed.success) return [];
  return Object.entries(parsed.data).map(([table, version]) => `${table} version ${version}`);
}
