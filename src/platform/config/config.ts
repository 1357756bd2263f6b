import { z } from 'zod';

const Port = z.number().int().min(0).max(65_535);
/** Room for a segment or two, so that there is something to flush when it is reached. */
const JournalBytes = z
  .number()
  .int()
  .min(128 * 1024 * 1024);
const WebhookUrl = z.url({ protocol: /^https?$/ });

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
    .array(z.strictObject({ url: WebhookUrl, events: z.array(z.string().min(1)).min(1).max(100) }))
    .max(20)
    .optional(),
  ...declared,
});
export type ConfigFile = z.infer<typeof ConfigFile>;

export interface Webhook {
  readonly url: string;
  /** Event kinds to send; `route.*` stands for every kind that starts with `route.`. */
  readonly events: readonly string[];
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
