import { readFileSync } from 'node:fs';

/** The fields `utime` and `stime` of /proc/PID/stat (proc(5)), counted behind the command. */
const UTIME = 11;
const STIME = 12;

/** CPU time a process has used, in clock ticks of all its threads; null where there is no /proc. */
export function cpuTicksOf(pid: number): number | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The command stands in parentheses and may hold anything, parentheses included.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[UTIME]) + Number(fields[STIME]);
}
