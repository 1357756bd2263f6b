import type { Prediction } from '../../predictions/contract.ts';

export interface LatencyPart {
  readonly name: string;
  readonly us: number;
  /** Mantine colour and shade. */
  readonly color: string;
}

/** The parts of a request's total: what is neither queue nor model is parsing, routing, logging. */
export function latencyParts(
  timing: Pick<Prediction, 'queueUs' | 'inferenceUs' | 'totalUs'>,
): readonly LatencyPart[] {
  const gateway = Math.max(0, timing.totalUs - timing.queueUs - timing.inferenceUs);
  return [
    { name: 'queue', us: timing.queueUs, color: 'yellow.6' },
    { name: 'model', us: timing.inferenceUs, color: 'mill.6' },
    { name: 'gateway', us: gateway, color: 'gray.5' },
  ];
}
