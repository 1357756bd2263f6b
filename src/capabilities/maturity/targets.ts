/** What the checks with a number ask for. */

/** A rollback that takes longer is no way out of an incident. */
export const ROLLBACK_MINUTES = 15;
/** From a commit to traffic, at the median: a change takes a week of work at most. */
export const COMMIT_TO_TRAFFIC_DAYS = 7;
/** Evaluations that came, of those that a schedule asks for. */
export const EVALUATIONS_SHARE = 0.95;
/** From a trigger to traffic, at the 90th percentile, in domain time. */
export const TRIGGER_TO_TRAFFIC_HOURS = 24;
/** Triggers that led to an accepted challenger; below it, people stop to listen. */
export const ACCEPTED_SHARE = 0.2;
/** What a model card has to have a heading or a line for. */
export const CARD_PARTS = ['intended use', 'training data', 'evaluation', 'limitations'] as const;
/** What has to be tested of a commit. */
export const SUITES = ['unit', 'data', 'model'] as const;
