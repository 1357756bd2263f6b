import { z } from 'zod';
import { route } from '../../base/route.ts';

/**
 * What a consistent copy of the state folder is made from. The files named lie in `folder`, beside
 * the others of the state folder, until the cut is dropped.
 */
export const StateCut = z.object({
  id: z.string(),
  /** Absolute; holds `metadata.db` and `journal/`. */
  folder: z.string(),
  /** When it was taken, by the machine's clock; RFC 3339. */
  takenAt: z.string(),
  /** The version of each table that everything else in the cut goes by. */
  tables: z.array(
    z.object({ namespace: z.string(), name: z.string(), version: z.number().int().min(0) }),
  ),
  /** Files of the journal and how much of each belongs to the cut. */
  journal: z.array(z.object({ name: z.string(), bytes: z.number().int().min(0) })),
});
export type StateCut = z.infer<typeof StateCut>;

export const takeCut = route({
  id: 'workspace.cut.take',
  method: 'POST',
  path: '/api/v1/backup-cuts',
  access: 'admin',
  summary: 'Set one moment of the state aside, for `millwright backup` to copy; ends a former one',
  reply: StateCut,
  status: 201,
});

export const dropCut = route({
  id: 'workspace.cut.drop',
  method: 'DELETE',
  path: '/api/v1/backup-cuts/:cut',
  access: 'admin',
  summary: 'Forget a moment that was set aside; nothing happens when it is gone',
  params: z.object({ cut: z.string().regex(/^[0-9a-f]{16}$/) }),
  reply: z.object({}),
});
