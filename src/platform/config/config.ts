import { z } from 'zod';
import { mayBeCalled } from '../outgoing-url.ts';

const Port = z.number().int().min(0).max(65_535);
/** Room for a segment or two, so that there is something to flush when it is reached. */
const JournalBytes = z
  .number()
  .int()
  .min(128 * 1024 * 1024);
const WebhookUrl = z
  .url({ protocol: /^https?$/ })
  .refine(mayBeCalled, 'leads to a link-local, metadata or multicast address');

/** Sections that `apply` hands to the capabilities that own them; `up` only passes them by. */
export const DECLARED_SECTIONS = [
  'sources',
  'entities',
  'views',
  'services',
  'labels',
  'training_sets',
  'endpoints',
  'monitors',
  'loops',
] as const;

const Section = z.record(z.string(), z.unknown()).optional();
const declared = Object.fromEntries(DECLARED_SECTIONS.map((name) => [name, Section])) as Record<
  (typeof DECLARED_SECTIONS)[number],
  typeof Section
>;

const Duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhd]$/, 'a number and s, m, h or d, such as 90s or 2h');
const Retries = z.number().int().min(0).max(20);

/** How the stages of `dvc.yaml` run; read anew at each run, like `dvc.yaml` itself. */
export const PipelinesSection = z.strictObject({
  /** The environment of all stages; without it they run with what is on the PATH. */
  python: z
    .strictObject({
      /** A lock with hashes, relative to the project's folder. */
      requirements: z.string().min(1),
      /** Name or path of the interpreter to make it with; default `python3`. */
      interpreter: z.string().min(1).optional(),
    })
    .optional(),
  /** How long a stage may take; default a day. */
  timeout: Duration.optional(),
  /** How often a stage that failed is tried again; default 0. */
  retries: Retries.optional(),
  stages: z
    .record(
      z.string(),
      z.strictObject({ timeout: Duration.optional(), retries: Retries.optional() }),
    )
    .optional(),
});
export type PipelinesSection = z.infer<typeof PipelinesSection>;

/** What `millwright.yaml` may say; unknown keys are errors. */
export const ConfigFile = z.strictObject({
  version: z.literal(1),
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/, 'lowercase letters, digits and -, at most 63')
    .optional(),
  server: z
    .strictObject({
      host: z.string().min(1).optional(),
      port: Port.optional(),
      /**
       * Names besides loopback that a Host header may carry, for a reverse proxy on this machine.
       */
      allowed_hosts: z.array(z.string().min(1)).max(100).optional(),
    })
    .optional(),
  database: z.strictObject({ url: z.url({ protocol: /^postgres(ql)?$/ }) }).optional(),
  journal: z.strictObject({ limit_bytes: JournalBytes.optional() }).optional(),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).optional() }).optional(),
  webhooks: z
    .array(
      z.strictObject({
        url: WebhookUrl,
        events: z.array(z.string().min(1)).min(1).max(100),
        format: z.enum(['event', 'alertmanager']).default('event'),
      }),
    )
    .max(20)
    .optional(),
  pipelines: PipelinesSection.optional(),
  ...declared,
});
export type ConfigFile = z.infer<typeof ConfigFile>;

export interface Webhook {
  readonly url: string;
  /** Event kinds to send; `route.*` stands for every kind that starts with `route.`. */
  readonly events: readonly string[];
  /** `alertmanager`: only what tells of an alert, as Alertmanager's own webhook sends it. */
  readonly format?: 'event' | 'alertmanager';
}

/** The whole configuration: parsed once, frozen, handed to constructors. */
export interface Config {
  readonly name: string;
  readonly stateFolder: string;
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly databaseUrl: string | null;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly webhooks: readonly Webhook[];
  /** What the journal may hold before requests are refused; null takes the default. */
  readonly journalBytesMax: number | null;
  /** The domain clock that was asked for; null takes the workspace's, live for a new one. */
  readonly clock: 'live' | 'replay' | null;
}
