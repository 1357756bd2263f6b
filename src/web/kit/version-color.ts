import { SERIES_COLORS } from './chart-theme.ts';

/** The same colour for a version in every chart. */
export function versionColor(version: number): string {
  return SERIES_COLORS[(version - 1) % SERIES_COLORS.length]!;
}
