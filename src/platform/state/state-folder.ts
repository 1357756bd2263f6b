import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';

/** Version of the state folder's layout; raised when a released layout changes. */
export const STATE_FORMAT = 1;

const Format = z.object({
  format: z.number().int().min(0),
  createdBy: z.string(),
  /** Id of the workspace, once there is one. */
  workspace: z.string().optional(),
});

export interface StateFolder {
  readonly root: string;
  readonly database: string;
  readonly lake: string;
  readonly artifacts: string;
  readonly online: string;
  readonly journal: string;
  /** Summaries of what was answered; made again when they are gone. */
  readonly monitoring: string;
  /** One folder for each attempt at a pipeline step. */
  readonly attempts: string;
  /** Python environments of pipelines. */
  readonly environments: string;
  /** What sessions of browsers and passes of steps are signed with. */
  readonly passKey: string;
  readonly logs: string;
  readonly backups: string;
  readonly temporary: string;
}

export function stateFolder(root: string): StateFolder {
  const at = (name: string): string => path.join(path.resolve(root), name);
  return {
    root: path.resolve(root),
    database: at('metadata.db'),
    lake: at('lake'),
    artifacts: at('artifacts'),
    online: at('online'),
    journal: at('journal'),
    monitoring: at('monitoring'),
    attempts: at('attempts'),
    environments: at('environments'),
    passKey: at('auth.key'),
    logs: at('logs'),
    backups: at('backups'),
    temporary: at('tmp'),
  };
}

/** Refuses a folder of a later version with `STATE_NEWER`, before anything in it is opened. */
export function assertFormatKnown(folder: StateFolder, programVersion: string): void {
  const found = readFormat(path.join(folder.root, 'format.json'));
  if (found === null || found.format <= STATE_FORMAT) return;
  throw new AppError(
    'STATE_NEWER',
    `${folder.root} has layout ${found.format}; this Millwright (${programVersion}) knows ${STATE_FORMAT}.`,
    { hint: 'Use the version that wrote it or a later one; nothing was changed.' },
  );
}

/** One step from layout `from` to `from + 1`. */
export interface FormatMigration {
  readonly from: number;
  readonly migrate: (folder: StateFolder) => Promise<void>;
}

/**
 * Checks `format.json`, creating it in a new folder and migrating an older layout step by step.
 * `backup` runs once before the first step. A newer layout is refused with `STATE_NEWER`, one from
 * which no steps lead here with `STATE_OLDER`.
 */
export async function openFormat(options: {
  readonly folder: StateFolder;
  readonly programVersion: string;
  readonly migrations: readonly FormatMigration[];
  readonly backup: () => Promise<void>;
}): Promise<void> {
  const { folder, programVersion, migrations } = options;
  const file = path.join(folder.root, 'format.json');
  assertFormatKnown(folder, programVersion);
  const found = readFormat(file);
  if (found === null) {
    writeFormat(file, { format: STATE_FORMAT, createdBy: programVersion });
    return;
  }
  if (found.format === STATE_FORMAT) return;
  const steps = stepsFrom(found.format, migrations);
  if (steps === null) throw tooOld(folder, found.format);
  await options.backup();
  for (const step of steps) {
    await step.migrate(folder);
    writeFormat(file, { ...found, format: step.from + 1 });
  }
}

/** Null when one is missing: then nothing may be begun. */
function stepsFrom(
  format: number,
  migrations: readonly FormatMigration[],
): readonly FormatMigration[] | null {
  const steps: FormatMigration[] = [];
  for (let from = format; from < STATE_FORMAT; from += 1) {
    const step = migrations.find((migration) => migration.from === from);
    if (step === undefined) return null;
    steps.push(step);
  }
  return steps;
}

function tooOld(folder: StateFolder, format: number): AppError {
  return new AppError('STATE_OLDER', `${folder.root} has layout ${format}, which is too old.`, {
    hint: 'Open it once with an earlier Millwright that still knows this layout; nothing was migrated.',
  });
}

/** The workspace whose database belongs to the folder; null before its first start. */
export function boundWorkspace(folder: StateFolder): string | null {
  return readFormat(path.join(folder.root, 'format.json'))?.workspace ?? null;
}

/** Remembers the workspace; `openFormat` has run before. */
export function bindWorkspace(folder: StateFolder, workspace: string): void {
  const file = path.join(folder.root, 'format.json');
  writeFormat(file, { ...present(readFormat(file), 'the format of the folder'), workspace });
}

function readFormat(file: string): z.infer<typeof Format> | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw thrown;
  }
  const parsed = Format.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new AppError('STATE_UNWRITABLE', `${file} is not a format file of Millwright.`, {
    hint: 'Restore it from a backup, or choose another folder with --state.',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function writeFormat(file: string, format: z.infer<typeof Format>): void {
  const temporary = `${file}.tmp`;
  const fd = openSync(temporary, 'w');
  writeSync(fd, `${JSON.stringify(format)}\n`);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(temporary, file);
}
