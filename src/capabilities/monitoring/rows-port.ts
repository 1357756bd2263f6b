import type { LabelledRequest, LabelledRequests } from '../predictions/labelled-requests.ts';

/** Reads answered requests with their labels; the prediction log's reader, as monitoring has it. */
export type ReadRows = (request: LabelledRequest, signal: AbortSignal) => Promise<LabelledRequests>;
