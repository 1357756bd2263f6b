import { z } from 'zod';
import { InstantText } from '../../base/instant.ts';
import { PageQuery, pageOf } from '../../base/page.ts';
import { route } from '../../base/route.ts';

export const ClockKind = z.enum(['live', 'replay']);
export type ClockKind = z.infer<typeof ClockKind>;

export const Health = z.object({
  status: z.enum(['ok', 'degraded']),
  version: z.string(),
  components: z.array(
    z.object({ name: z.string(), status: z.enum(['ok', 'down']), detail: z.string().optional() }),
  ),
});
export type Health = z.infer<typeof Health>;

export const Status = z.object({
  name: z.string(),
  version: z.string(),
  clock: ClockKind,
  /** Domain time and the machine's time, RFC 3339. */
  now: z.string(),
  wall: z.string(),
  startedAt: z.string(),
  stateFolder: z.string(),
  database: z.enum(['sqlite', 'postgres']),
  pid: z.number().int(),
  engine: z.object({
    state: z.enum(['starting', 'ready', 'unresponsive', 'restarting', 'broken', 'stopped']),
    pid: z.number().int().nullable(),
    restarts: z.number().int(),
    /** While it is paused, or on trial, because it died too often. */
    trouble: z
      .object({
        deaths: z.number().int(),
        /** How the last one ended: `SIGKILL`, or `status 1`. */
        exit: z.string(),
        /** Tasks that it had when it died. */
        during: z.array(z.string()),
        /** Until the next is tried; 0 while one is. */
        retryInMs: z.number().int(),
      })
      .optional(),
  }),
  residentBytes: z.number().int(),
});
export type Status = z.infer<typeof Status>;

/** Something that happened, recorded in the same transaction as the change it tells of. */
export const Event = z.object({
  seq: z.number().int(),
  wall: z.string(),
  now: z.string(),
  actor: z.string(),
  /** `<noun>.<past participle>`, such as `route.published`. */
  kind: z.string(),
  /** What it happened to: `endpoint/late`, `table/lab.rows`. */
  subject: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export type Event = z.infer<typeof Event>;

export const getHealth = route({
  id: 'health',
  method: 'GET',
  path: '/health',
  access: 'open',
  summary: 'Liveness and the state of each component',
  reply: Health,
});

export const getStatus = route({
  id: 'workspace.status',
  method: 'GET',
  path: '/api/v1/status',
  summary: 'The workspace, its clocks and its processes',
  reply: Status,
});

/** Newest first. `GET /api/v1/events/stream?after=SEQ` follows the same events by SSE. */
export const listEvents = route({
  id: 'workspace.events',
  method: 'GET',
  path: '/api/v1/events',
  summary: 'What happened, newest first',
  query: PageQuery.extend({ subject: z.string().max(300).optional() }),
  reply: pageOf(Event),
});

export const EVENT_STREAM_PATH = '/api/v1/events/stream';

export const advanceClock = route({
  id: 'workspace.clock.advance',
  method: 'POST',
  path: '/api/v1/clock/advance',
  access: 'admin',
  summary: 'Move the domain clock of a replay workspace forward',
  body: z.strictObject({ to: InstantText }),
  reply: z.object({ now: z.string(), fired: z.number().int() }),
});

/** What `millwright.yaml` declares, by top-level section; each capability parses its own. */
const DeclaredBody = z.record(z.string().max(64), z.unknown());

export const PlannedChange = z.object({
  action: z.enum(['create', 'change', 'remove']),
  kind: z.string(),
  name: z.string(),
  summary: z.string(),
});

export const Plan = z.object({
  /** Changes with the file and with the workspace. */
  id: z.string(),
  changes: z.array(PlannedChange),
});
export type Plan = z.infer<typeof Plan>;

/** What was changed, in the same form. */
export type Applied = Plan;

export const planDeclared = route({
  id: 'plan',
  method: 'POST',
  path: '/api/v1/plan',
  summary: 'What applying the declared sections would change',
  body: z.strictObject({ declared: DeclaredBody }),
  reply: Plan,
});

export const applyDeclared = route({
  id: 'apply',
  method: 'POST',
  path: '/api/v1/apply',
  summary: 'Make the workspace as the declared sections say, all checked before anything changes',
  body: z.strictObject({
    declared: DeclaredBody,
    /** Refuses with STALE_PLAN unless this is the plan still. */
    plan: z.string().max(64).optional(),
  }),
  reply: Plan,
});
