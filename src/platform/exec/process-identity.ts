import { readFileSync } from 'node:fs';
import type { ProcessIdentity } from './port.ts';

/** `/proc` counts in hundredths of a second (USER_HZ), whatever the kernel does. */
const TICK_MS = 10;
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/** Differs after each start of the machine; null where there is no Linux `/proc`. */
export function bootId(): string | null {
  return read(BOOT_ID_FILE)?.trim() ?? null;
}

/** Whether that very process runs; one that has died and was not collected yet does not. */
export function isAlive(process: ProcessIdentity): boolean {
  if (process.bootId !== bootId()) return false;
  const stat = readStat(process.pid);
  return stat !== null && stat.startTime === process.startTime && !'ZX'.includes(stat.state);
}

/** Milliseconds that it has run by the machine's own count, whatever was done to its clock. */
export function ageMs(process: ProcessIdentity): number {
  const uptimeSeconds = Number.parseFloat(read('/proc/uptime') ?? '0');
  return uptimeSeconds * 1000 - Number(process.startTime) * TICK_MS;
}

/** Whether the pid was given to another process since. */
export function isReplaced(process: ProcessIdentity): boolean {
  const stat = readStat(process.pid);
  return stat !== null && stat.startTime !== process.startTime;
}

interface Stat {
  readonly state: string;
  readonly startTime: string;
}

function readStat(pid: number): Stat | null {
  const text = read(`/proc/${pid}/stat`);
  return text === null ? null : parseStat(text);
}

/** Fields 3 and 22; the second is the program's name in parentheses, with anything in it. */
function parseStat(text: string): Stat | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  return state === undefined || startTime === undefined ? null : { state, startTime };
}

/** What a step's script has written of itself: its `/proc/PID/stat`, then the boot id. */
export function parseProcessFile(text: string): ProcessIdentity | null {
  const [line = '', boot = ''] = text.split('\n');
  const stat = parseStat(line);
  const pid = Number.parseInt(line, 10);
  if (stat === null || Number.isNaN(pid) || boot === '') return null;
  return { pid, startTime: stat.startTime, bootId: boot };
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
