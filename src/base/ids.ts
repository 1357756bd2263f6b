/** Prefixes of our ids: `req_` a request, `mv_` a model version, `rt_` a route revision, ... */
export type IdPrefix =
  | 'req'
  | 'mv'
  | 'dep'
  | 'rt'
  | 'bat'
  | 'evt'
  | 'tmr'
  | 'out'
  | 'tmp'
  | 'ws'
  | 'run'
  | 'lm'
  | 'prun'
  | 'att'
  | 'li'
  | 'eval'
  | 'exc';

export interface Ids {
  /** `<prefix>_<UUIDv7 as 32 hex digits>`; ids of one process sort by creation. */
  next(prefix: IdPrefix): string;
}
