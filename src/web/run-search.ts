import { z } from 'zod';
import { RunId } from '../capabilities/tracking/contract.ts';
import { optional } from './optional-search.ts';

/** What the addresses of the pages of runs hold. */

/** Runs side by side, as many as there are colours. */
const Chosen = optional(z.array(RunId).max(8));
const Axis = optional(z.enum(['step', 'time']));

export const RunsSearch = z.object({
  /** Number of an experiment. */
  experiment: optional(z.number().int().min(0)),
  /** What was typed: a part of a name, or MLflow's filter. */
  filter: optional(z.string().max(5000)),
  /** `metrics.auc DESC`. */
  order: optional(z.string().max(500)),
  /** Metrics and parameters shown, as MLflow's searches name them. */
  columns: optional(z.array(z.string().max(300)).max(12)),
  /** Runs chosen to be compared, in that order. */
  chosen: Chosen,
});

export const ComparedRunsSearch = z.object({
  /** The first is what the others are compared with. */
  runs: Chosen,
  /** The metric drawn, over what, and how. */
  metric: optional(z.string().max(250)),
  axis: Axis,
  scale: optional(z.enum(['linear', 'log'])),
  smooth: optional(z.union([z.literal(0), z.literal(0.6), z.literal(0.9), z.literal(0.98)])),
  /** Lists what is the same in all runs as well. */
  whole: optional(z.boolean()),
});

export const RunSearch = z.object({
  /** The metric drawn, and over what. */
  metric: optional(z.string().max(250)),
  axis: Axis,
  /** The artifact folder listed, and the file shown. */
  folder: optional(z.string().max(1000)),
  file: optional(z.string().max(1000)),
});
