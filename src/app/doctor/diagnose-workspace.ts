import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { toAppError } from '../../base/errors.ts';
import { MICROS_PER_SECOND, parseInstant, type Clock, type Micros } from '../../base/time.ts';
import { getLogStatus } from '../../capabilities/predictions/contract.ts';
import {
  getHealth,
  getStatus,
  listEvents,
  type Status,
} from '../../capabilities/workspace/contract.ts';
import type { Api, CliContext } from '../../platform/cli/context.ts';
import type { Declaration } from '../../platform/config/port.ts';
import { cureOf, troubleText } from '../../platform/engine/trouble.ts';
import { tryLockFile } from '../../platform/state/file-lock.ts';
import { readOwner } from '../../platform/state/owner-lock.ts';
import { assertFormatKnown, stateFolder } from '../../platform/state/state-folder.ts';
import { parseSections } from '../config-schema.ts';
import { programVersion } from '../program.ts';
import { ill, well, type Diagnosis } from './diagnosis.ts';

/** Clocks that are set in steps differ by less. */
const SKEW_MICROS_MAX = 120 * MICROS_PER_SECOND;
/** Of the journal's room: with more, flushing does not keep up. */
const BACKLOG_SHARE_MAX = 0.5;

/** Each section by itself; what concerns several places at once, only `plan` can say. */
export function diagnoseDeclaration(cli: Pick<CliContext, 'declaration'>): Diagnosis {
  const name = 'millwright.yaml';
  let declaration: Declaration;
  try {
    declaration = cli.declaration();
  } catch {
    const cure = 'Make one that is commented with: millwright init';
    return ill(name, 'warn', { found: 'there is none in this folder', cure });
  }
  const { issues = [] } = parseSections(declaration.sections).error ?? {};
  // A name that was misspelt is what makes another one missing.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  if (issue === undefined) {
    const sections = Object.keys(declaration.sections);
    return well(name, sections.length === 0 ? 'declares nothing yet' : sections.join(', '));
  }
  const found = `${declaration.at(issue.path)}: ${issue.path.map(String).join('.')}: ${issue.message}`;
  return ill(name, 'fail', { found, cure: 'Mend it there; nothing was applied of it.' });
}

export function diagnoseFormat(root: string): Diagnosis {
  if (!existsSync(path.join(root, 'format.json'))) {
    const cure = 'Make one with: millwright init';
    return ill('state folder', 'warn', { found: `there is no workspace in ${root} yet`, cure });
  }
  try {
    assertFormatKnown(stateFolder(root), programVersion);
    return well('state folder', root);
  } catch (thrown) {
    const { message, hint = 'Restore it from a backup.' } = toAppError(thrown);
    return ill('state folder', 'fail', { found: message, cure: hint });
  }
}

/** The lock dies with its holder, so one that is held without an answer has a holder that hangs. */
export function diagnoseOwner(root: string, isRunning: boolean): Diagnosis {
  const owner = readOwner(root);
  if (isRunning) return well('owner', `process ${owner?.pid}, at ${owner?.url}`);
  if (owner === null) return well('owner', 'none yet');
  const lock = tryLockFile(path.join(root, 'owner.lock'));
  if (lock !== null) {
    lock.release();
    const left = owner.url === null ? '' : `; process ${owner.pid} ended without a goodbye`;
    return well('owner', `nobody holds the folder${left}`);
  }
  const found = `process ${owner.pid} holds the folder and does not answer`;
  const cure = `Wait for the command that runs, or end it: kill ${owner.pid}`;
  return ill('owner', 'fail', { found, cure });
}

/** What only the running server can tell. */
export async function diagnoseServer(api: Api): Promise<readonly Diagnosis[]> {
  const [health, status, log] = await Promise.all([
    api.call(getHealth, {}),
    api.call(getStatus, {}),
    api.call(getLogStatus, {}),
  ]);
  const down = health.components.filter((component) => component.status === 'down');
  const other = down.filter(({ name }) => name !== 'engine');
  return [
    diagnoseEngine(status),
    backlog(log),
    ...other.map(({ name, detail = 'down' }) =>
      ill(name, 'fail', { found: detail, cure: 'Look at what the server logs.' }),
    ),
  ];
}

function diagnoseEngine({ engine }: Status): Diagnosis {
  const { state, restarts, trouble } = engine;
  const isUp = state === 'ready' || state === 'starting';
  const found = `${state}, ${restarts} restarts`;
  if (trouble !== undefined) {
    const about = { found: `${found}; ${troubleText(trouble)}`, cure: cureOf(trouble) };
    return ill('engine', isUp ? 'warn' : 'fail', about);
  }
  if (isUp) return well('engine', found);
  const cure = 'Look at what the server logs, and start it again: millwright up';
  return ill('engine', 'fail', { found, cure });
}

function backlog(log: {
  readonly unflushedBytes: number;
  readonly unflushedBytesMax: number;
  readonly lastFlushError: string | null;
}): Diagnosis {
  const { unflushedBytes, unflushedBytesMax, lastFlushError } = log;
  const found = `${unflushedBytes} of ${unflushedBytesMax} bytes wait for their tables`;
  const isLong = unflushedBytes > BACKLOG_SHARE_MAX * unflushedBytesMax;
  if (!isLong && lastFlushError === null) return well('journal', found);
  const cure = 'Make room on the disk; millwright predictions log says whether it is getting less.';
  const why = lastFlushError === null ? found : `${found}; ${lastFlushError}`;
  return ill('journal', isLong ? 'fail' : 'warn', { found: why, cure });
}

/** Something written later than now was written before the machine's clock was set back. */
export async function diagnoseClock(
  root: string,
  on: { readonly clock: Pick<Clock, 'wall'>; readonly api: Api | null },
): Promise<Diagnosis> {
  const { clock, api } = on;
  const ahead = Math.max(newestFile(root), await newestEvent(api)) - clock.wall();
  if (ahead <= SKEW_MICROS_MAX) return well('clock', 'nothing was written later than now');
  const found = `something was written ${Math.round(ahead / MICROS_PER_SECOND)} s later than now`;
  const cure = 'Set the machine’s clock, best by NTP: timedatectl set-ntp true';
  return ill('clock', 'warn', { found, cure });
}

function newestFile(root: string): number {
  const files = ['owner.json', 'format.json', 'metadata.db', 'journal', 'lake'];
  const times = files.map((name) => statSync(path.join(root, name), { throwIfNoEntry: false }));
  return Math.max(0, ...times.map((found) => (found?.mtimeMs ?? 0) * 1000));
}

async function newestEvent(api: Api | null): Promise<number> {
  if (api === null) return 0;
  const { items } = await api.call(listEvents, { query: { limit: 1 } });
  const wall: Micros | null = parseInstant(items[0]?.wall ?? '');
  return wall ?? 0;
}
