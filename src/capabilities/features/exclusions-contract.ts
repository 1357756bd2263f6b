import { z } from 'zod';
import { InstantText } from '../../base/instant.ts';
import { PageQuery, pageOf } from '../../base/page.ts';
import { route } from '../../base/route.ts';

/** A time whose rows no training set takes: an incident, a broken upstream, a promotion. */
export const Exclusion = z.object({
  id: z.string(),
  /** Declared source of the training sets it concerns; null: of all. */
  source: z.string().nullable(),
  /** Rows have T in `[from, until)`; without an end it goes on. */
  from: z.string(),
  until: z.string().nullable(),
  reason: z.string(),
  actor: z.string(),
  recordedAt: z.string(),
  /** Set when it was a mistake: its rows are taken again. */
  withdrawnAt: z.string().nullable(),
});
export type Exclusion = z.infer<typeof Exclusion>;

const Reason = z.string().min(1).max(2000);
const ExclusionParams = z.object({ exclusion: z.string().min(1).max(100) });

export const ExclusionInput = z.strictObject({
  source: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/, 'the name of a declared source')
    .optional(),
  from: InstantText,
  until: InstantText.optional(),
  reason: Reason,
  /** Recording one with a key that is known changes nothing and answers the one that is there. */
  key: z.string().min(1).max(200).optional(),
});
export type ExclusionInput = z.infer<typeof ExclusionInput>;

export const recordExclusion = route({
  id: 'exclusions.record',
  method: 'POST',
  path: '/api/v1/exclusions',
  summary: 'Keep the rows of a time out of training sets from now on',
  body: ExclusionInput,
  reply: Exclusion,
});

export const endExclusion = route({
  id: 'exclusions.end',
  method: 'POST',
  path: '/api/v1/exclusions/:exclusion/end',
  summary: 'Say when an exclusion that goes on has ended',
  params: ExclusionParams,
  body: z.strictObject({ until: InstantText }),
  reply: Exclusion,
});

export const withdrawExclusion = route({
  id: 'exclusions.withdraw',
  method: 'POST',
  path: '/api/v1/exclusions/:exclusion/withdraw',
  summary: 'Take back an exclusion that was a mistake; it stays on record',
  params: ExclusionParams,
  body: z.strictObject({ reason: Reason }),
  reply: Exclusion,
});

export const listExclusions = route({
  id: 'exclusions.list',
  method: 'GET',
  path: '/api/v1/exclusions',
  summary: 'Times kept out of training sets, newest first',
  query: PageQuery,
  reply: pageOf(Exclusion),
});
