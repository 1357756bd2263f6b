/** All benchmarks, in the order in which they run and are reported. */
export const PROGRAMS = [
  'start',
  'recovery',
  'gateway',
  'joined-features',
  'journal',
  'interference',
  'online-features',
  'online-vectors',
  'training-set',
  'training-set-large',
  'tracking',
  'search',
  'delta-append',
  'delta-open',
  'drift',
  'pipelines',
] as const;
