/** Appends are told by events; what Millwright writes itself, such as predictions, is not. */
export const TABLES_POLL_MS = 10_000;
