import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Obstacle } from '../../scripts/progress.mjs';
import { CACHE, findProgram, run } from '../../scripts/run.ts';

export interface Load {
  readonly url: string;
  /** Bodies sent one after the other, over and over. */
  readonly bodies: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  readonly core: number;
}

export interface LoadOutcome {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** CPU time of wrk itself, microseconds. */
  readonly ownCpuUs: number;
}

const MARK = 'RESULT ';

/** Closed-loop load: every connection sends its next request when the last one is answered. */
export async function wrk(load: Load): Promise<LoadOutcome> {
  requireWrk();
  const script = join(CACHE, 'bench-wrk.lua');
  writeFileSync(script, lua(load));
  const pinned = `-c ${load.core} wrk --threads 1`;
  const size = `--connections ${load.connections} --duration ${load.seconds}s --script`;
  const args = [...`${pinned} ${size}`.split(' '), script, load.url];
  const { code, output } = await run('taskset', args);
  const line = output.split('\n').find((text) => text.startsWith(MARK));
  if (code !== 0 || line === undefined) throw new Obstacle(`${output}\nwrk failed (${code}).`);
  const told = JSON.parse(line.slice(MARK.length)) as LoadOutcome & { readonly errors: number };
  if (told.errors > 0) throw new Obstacle(`${told.errors} requests to ${load.url} failed.`);
  return told;
}

export function requireWrk(): void {
  if (findProgram('wrk') !== null && findProgram('taskset') !== null) return;
  throw new Obstacle(
    'The gateway benchmark needs wrk and taskset. On Debian or Ubuntu, as root: ' +
      'apt-get update && apt-get install -y wrk util-linux',
  );
}

export async function wrkVersion(): Promise<string> {
  const { output } = await run('wrk', ['--version']);
  return /^wrk \S*?(\d+(?:\.\d+)+)/.exec(output)?.[1] ?? 'unknown';
}

function lua(load: Load): string {
  const { host, pathname } = new URL(load.url);
  const requests = load.bodies.map((body) => {
    const head =
      `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    // A JSON string without escapes beyond \r, \n and \" is a Lua string too.
    return JSON.stringify(head + body);
  });
  return `
local requests = { ${requests.join(',\n')} }
local next = 0
function request()
  next = next % #requests + 1
  return requests[next]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '${MARK}{"requests":%d,"requestsPerSecond":%.1f,"p50Us":%d,"p99Us":%d,' ..
    '"ownCpuUs":%d,"errors":%d}\\n',
    summary.requests, summary.requests / summary.duration * 1e6,
    latency:percentile(50), latency:percentile(99), os.clock() * 1e6,
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;
}
