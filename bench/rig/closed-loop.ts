import { say } from '../../scripts/progress.mjs';
import { cpuUs, cpuUsOfAll, processTree } from './processes.ts';
import { round } from './quantile.ts';
import { watchOthers } from './quiet.ts';
import type { InRound } from './rounds.ts';
import { wrk } from './wrk.ts';

/** Closed-loop load on servers of one core each, with their CPU time. */

export const SERVER_CORE = 0;
export const LOAD_CORE = 1;
export const CONNECTIONS = 32;

export interface Contender {
  readonly name: string;
  readonly inferUrl: string;
  /** The process that answers. */
  readonly pid: number;
  /** Sent one after the other, over and over. */
  readonly bodies: readonly string[];
  /** Called after a round: what the round left to do must not fall into the next one. */
  readonly settle: () => Promise<void>;
}

export interface Measured extends InRound {
  readonly contender: string;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** CPU of the answering process, microseconds a request. */
  readonly cpuUs: number;
  /** CPU of the processes it started, until they had nothing left to do, microseconds a request. */
  readonly childrenCpuUs: number;
}

/** Everyone once; each round begins with another one, so that none always follows the same. */
export async function measureRound(
  contenders: readonly Contender[],
  on: { readonly number: number; readonly seconds: number },
): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (const [index] of contenders.entries()) {
    const contender = contenders[(index + on.number) % contenders.length]!;
    const one = await measureOne(contender, on);
    say(
      `  round ${on.number} ${contender.name.padEnd(9)} ${one.requestsPerSecond} requests/s, ` +
        `${one.cpuUs} us, engine ${one.childrenCpuUs} us; others ${one.othersCores} cores`,
    );
    measured.push(one);
  }
  return measured;
}

async function measureOne(
  { name, inferUrl, pid, bodies, settle }: Contender,
  { number, seconds }: { readonly number: number; readonly seconds: number },
): Promise<Measured> {
  const children = processTree(pid).slice(1);
  const [main, engine] = [cpuUs(pid), cpuUsOfAll(children)];
  const others = watchOthers(() => cpuUsOfAll([process.pid, pid, ...children]));
  const load = await wrk({
    url: inferUrl,
    bodies,
    connections: CONNECTIONS,
    seconds,
    core: LOAD_CORE,
  });
  const othersCores = round(others(load.ownCpuUs), 2);
  const mainUs = cpuUs(pid) - main;
  await settle();
  const engineUs = cpuUsOfAll(children) - engine;
  return {
    contender: name,
    round: number,
    requests: load.requests,
    requestsPerSecond: load.requestsPerSecond,
    p50Us: load.p50Us,
    p99Us: load.p99Us,
    cpuUs: round(mainUs / load.requests, 1),
    childrenCpuUs: round(engineUs / load.requests, 1),
    othersCores,
  };
}
