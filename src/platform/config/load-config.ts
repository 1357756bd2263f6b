import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { nearestName } from '../../base/nearest-name.ts';
import type { Env } from '../system.ts';
import { ConfigFile, DECLARED_SECTIONS, type Config } from './config.ts';
import type { Declaration } from './port.ts';
import { parseYaml, type YamlFile } from './yaml-file.ts';

/** A declaration file past this is a mistake (or a bomb of aliases). */
const CONFIG_BYTES_MAX = 1024 * 1024;
const DEFAULT_PORT = 7070;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

export interface ConfigFlags {
  readonly state?: string | undefined;
  readonly config?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly logLevel?: string | undefined;
  readonly clock?: 'live' | 'replay' | undefined;
}

/**
 * Flags win over MILLWRIGHT_* variables, which win over `millwright.yaml` in the folder. Rejects
 * with `INVALID_CONFIG` that names file:line:column.
 */
export function loadConfig(options: {
  readonly folder: string;
  readonly env: Env;
  readonly flags: ConfigFlags;
}): Config {
  const { folder, flags } = options;
  // As usual, a variable set to nothing is one that is not set.
  const env = Object.fromEntries(Object.entries(options.env).filter(([, value]) => value !== ''));
  const file = readConfigFile(folder, flags.config);
  const level = flags.logLevel ?? env['MILLWRIGHT_LOG'] ?? file?.log?.level ?? 'info';
  const logLevel = LOG_LEVELS.find((known) => known === level);
  if (logLevel === undefined)
    throw invalid(`Log level ${level} is unknown.`, LOG_LEVELS.join(', '));
  return Object.freeze({
    name: file?.name ?? defaultName(folder),
    stateFolder: path.resolve(folder, flags.state ?? env['MILLWRIGHT_STATE'] ?? '.millwright'),
    host: flags.host ?? env['MILLWRIGHT_HOST'] ?? file?.server?.host ?? '127.0.0.1',
    port: flags.port ?? portFromEnv(env['MILLWRIGHT_PORT']) ?? file?.server?.port ?? DEFAULT_PORT,
    allowedHosts: (file?.server?.allowed_hosts ?? []).map((host) => host.toLowerCase()),
    databaseUrl: env['MILLWRIGHT_DATABASE_URL'] ?? file?.database?.url ?? null,
    logLevel,
    webhooks: file?.webhooks ?? [],
    journalBytesMax: file?.journal?.limit_bytes ?? null,
    clock: flags.clock ?? null,
  });
}

function portFromEnv(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw invalid(`MILLWRIGHT_PORT=${text} is not a port.`, 'a number from 0 to 65535');
}

function invalid(message: string, expected: string): AppError {
  return new AppError('INVALID_CONFIG', message, { hint: `Expected: ${expected}.` });
}

function defaultName(folder: string): string {
  const name = path
    .basename(path.resolve(folder))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, 63);
  return name === '' ? 'workspace' : name;
}

/** Reads the declared sections. Throws `INVALID_CONFIG` when there is no file or it is broken. */
export function readDeclaration(folder: string, named: string | undefined): Declaration {
  const file = readYaml(folder, named);
  if (file === null) {
    throw new AppError('INVALID_CONFIG', `There is no millwright.yaml in ${folder}.`, {
      hint: 'Go to the folder of the project, or make one here with: millwright init',
    });
  }
  checked(file);
  const declared = Object.entries(file.plain as Record<string, unknown>).filter(([key]) =>
    (DECLARED_SECTIONS as readonly string[]).includes(key),
  );
  return { file: file.name, sections: Object.fromEntries(declared), at: (path) => file.at(path) };
}

function readConfigFile(folder: string, named: string | undefined): ConfigFile | null {
  const file = readYaml(folder, named);
  return file === null ? null : checked(file);
}

function readYaml(folder: string, named: string | undefined): YamlFile | null {
  const file = path.resolve(folder, named ?? 'millwright.yaml');
  if (!existsSync(file)) {
    if (named === undefined) return null;
    throw new AppError('INVALID_CONFIG', `${file} does not exist.`, {
      hint: 'Name an existing file with --config, or leave it out.',
    });
  }
  const text = readFileSync(file, 'utf8');
  if (text.length > CONFIG_BYTES_MAX) {
    throw new AppError('INVALID_CONFIG', `${file} is larger than ${CONFIG_BYTES_MAX} bytes.`);
  }
  return parseYaml(text, path.relative(folder, file) || file);
}

/** Parses the text of a configuration file; `name` stands in messages. */
export function parseConfigFile(text: string, name: string): ConfigFile {
  return checked(parseYaml(text, name));
}

function checked(file: YamlFile): ConfigFile {
  const parsed = ConfigFile.safeParse(file.plain ?? {});
  if (parsed.success) return parsed.data;
  const findings = parsed.error.issues.map((issue) => describe(issue, file));
  throw new AppError('INVALID_CONFIG', findings.join('\n'), {
    hint: 'Mend the file at the places named; nothing was changed.',
  });
}

function describe(issue: z.core.$ZodIssue, file: YamlFile): string {
  const isUnknown = issue.code === 'unrecognized_keys';
  const key = isUnknown ? issue.keys[0] : undefined;
  const place = key === undefined ? issue.path : [...issue.path, key];
  const at = `${file.at(place)}: ${place.map(String).join('.') || 'file'}`;
  if (!isUnknown) return `${at}: ${issue.message}`;
  const near = nearestName(String(key), knownKeys(issue.path));
  return `${at}: unknown key${near === null ? '' : `; did you mean ${near}?`}`;
}

/** The keys that the schema knows at a path of the file. */
function knownKeys(at: readonly PropertyKey[]): readonly string[] {
  let schema: unknown = ConfigFile;
  for (const part of at) {
    schema = unwrap(schema);
    if (schema instanceof z.ZodArray) schema = schema.element;
    else if (schema instanceof z.ZodObject) schema = schema.shape[String(part)];
  }
  const inner = unwrap(schema);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodOptional ? schema.unwrap() : schema;
}
