import { open, statfs } from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import type { ErrorBody } from '../../base/errors.ts';
import { STEP_LOG_BYTES_MAX } from '../../platform/exec/port.ts';

/** What of a log a failure shows. */
const TAIL_BYTES = 4096;
const TAIL_LINES = 20;
/** Less than this is full: nothing of use can be written. */
const FULL_BYTES = 64 * 1024;
const SHELL_SIGNAL_BASE = 128;
const NOT_FOUND = 127;

export interface LogPage {
  readonly text: string;
  readonly nextOffset: number;
  readonly isCapped: boolean;
}

/** A part of an attempt's log; whole characters only, as far as it is written. */
export async function readLog(folder: string, offset: number, limit: number): Promise<LogPage> {
  const file = await open(path.join(folder, 'log')).catch(() => null);
  if (file === null) return { text: '', nextOffset: offset, isCapped: false };
  try {
    const { size } = await file.stat();
    const wanted = Math.max(0, Math.min(limit, size - offset));
    const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, offset);
    const length = wholeCharacters(buffer.subarray(0, bytesRead));
    return {
      text: buffer.toString('utf8', 0, length),
      nextOffset: offset + length,
      isCapped: size >= STEP_LOG_BYTES_MAX,
    };
  } finally {
    await file.close();
  }
}

/** Length without a character that is cut off at the end. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    // A file of nothing but a broken start is shown as it is.
    return needs > back && bytes.length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** The last lines of the log. */
export async function logTail(folder: string): Promise<string> {
  const { nextOffset: size } = await readLogEnd(folder);
  const { text } = await readLog(folder, Math.max(0, size - TAIL_BYTES), TAIL_BYTES);
  return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}

async function readLogEnd(folder: string): Promise<{ readonly nextOffset: number }> {
  const file = await open(path.join(folder, 'log')).catch(() => null);
  if (file === null) return { nextOffset: 0 };
  try {
    return { nextOffset: (await file.stat()).size };
  } finally {
    await file.close();
  }
}

/** Why a stage ended as it did, for a person: `exitCode` of its commands, or another reason. */
export async function describeEnd(
  stage: string,
  ended: { readonly exitCode?: number; readonly reason?: string },
  { attemptFolder, projectFolder }: Folders,
): Promise<ErrorBody> {
  const { exitCode: code, reason = 'unknown' } = ended;
  const tail = await logTail(attemptFolder);
  const { isCapped } = await readLog(attemptFolder, 0, 0);
  const full = await fullDisk([projectFolder, attemptFolder], tail);
  const end = code === undefined ? reason : exitText(code);
  const notes = [
    ...(full === null ? [] : [full]),
    ...(isCapped ? [`its log was cut at ${STEP_LOG_BYTES_MAX} bytes`] : []),
  ];
  const message = [`Stage ${stage} failed: ${end}`, ...notes].join('; ');
  return {
    code: 'STAGE_FAILED',
    message: tail === '' ? message : `${message}\n${tail}`,
    hint: full === null ? hintOf(code) : 'Free some space, then run again.',
  };
}

interface Folders {
  readonly attemptFolder: string;
  readonly projectFolder: string;
}

function exitText(code: number): string {
  const signal = signalName(code);
  return signal === null ? `exit code ${code}` : `${signal} (exit code ${code})`;
}

/** A shell reports a command that a signal ended as 128 and the signal's number. */
function signalName(code: number): string | null {
  const found = Object.entries(constants.signals).find(
    ([, number]) => number === code - SHELL_SIGNAL_BASE,
  );
  return found?.[0] ?? null;
}

function hintOf(code: number | undefined): string {
  if (code === undefined) return 'Run again: what was finished before stays finished.';
  if (code === NOT_FOUND) return 'A command was not found: is it in the environment of the stage?';
  if (signalName(code) === 'SIGKILL') {
    return 'Somebody killed it; often the system does, when memory runs out.';
  }
  return 'Its last lines are above; the whole log: millwright pipelines log RUN STAGE';
}

async function fullDisk(folders: readonly string[], tail: string): Promise<string | null> {
  for (const folder of folders) {
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < FULL_BYTES) return `the disk of ${folder} is full`;
  }
  return /no space left on device|disk quota exceeded/i.test(tail)
    ? 'a disk was full while it ran'
    : null;
}
