import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { quantile } from './quantile.ts';

/**
 * Open-loop load: requests are due at random moments of a given rate (a Poisson process from a
 * seed), whether or not earlier ones are answered. A latency counts from the moment a request was
 * due, so a stalled server cannot hide behind a generator that waits for it (coordinated omission).
 * Argument: a file with `OpenLoop`; prints `OpenLoopOutcome`.
 */
export interface OpenLoop {
  readonly url: string;
  readonly bodies: readonly string[];
  readonly requestsPerSecond: number;
  readonly seconds: number;
  /** Before those: the generator and the connections are warm when counting begins. */
  readonly warmUpSeconds: number;
  readonly connections: number;
  readonly seed: number;
}

export interface OpenLoopOutcome {
  readonly requests: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** How late the generator itself was with requests that found a free connection. */
  readonly ownLagP99Ms: number;
  /** CPU time of the generator itself, microseconds. */
  readonly ownCpuUs: number;
}

/** Between two looks at the clock the generator leaves its core to others for this long at most. */
const NAP_MS = 0.1;
/** Requests still unanswered this long after the last one was due are errors. */
const GRACE_MS = 5000;

const load = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as OpenLoop;
const { hostname, port, host, pathname } = new URL(load.url);
const requests = load.bodies.map((body) =>
  Buffer.from(
    `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  ),
);

class Connection {
  readonly socket: Socket;
  readonly onAnswer: (connection: Connection) => void;
  dueMs = 0;
  #received = '';
  #missing = -1;

  constructor(onAnswer: (connection: Connection) => void) {
    this.onAnswer = onAnswer;
    this.socket = connect(Number(port), hostname);
    this.socket.setNoDelay(true);
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => this.#receive(text));
  }

  #receive(text: string): void {
    if (this.#missing < 0) {
      this.#received += text;
      const end = this.#received.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!this.#received.startsWith('HTTP/1.1 200')) errors += 1;
      const length = /content-length: (\d+)/i.exec(this.#received)?.[1];
      this.#missing = Number(length) - (this.#received.length - end - 4);
    } else {
      this.#missing -= text.length;
    }
    if (this.#missing > 0) return;
    this.#received = '';
    this.#missing = -1;
    this.onAnswer(this);
  }
}

/** Uniform over (0, 1] from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 1) / 4294967296;
  };
}

const latencies: number[] = [];
const ownLags: number[] = [];
const waiting: number[] = [];
const idle: Connection[] = [];
const nap = new Int32Array(new SharedArrayBuffer(4));
const random = randomFrom(load.seed);
let errors = 0;
let sent = 0;
let answers = 0;
let countFromMs = 0;

function send(connection: Connection, dueMs: number): void {
  connection.dueMs = dueMs;
  connection.socket.write(requests[sent % requests.length]!);
  sent += 1;
}

function answered(connection: Connection): void {
  answers += 1;
  if (connection.dueMs >= countFromMs) latencies.push(performance.now() - connection.dueMs);
  const dueMs = waiting.shift();
  if (dueMs === undefined) idle.push(connection);
  else send(connection, dueMs);
}

function report(): void {
  const { user, system } = process.cpuUsage();
  const unanswered = sent - answers + waiting.length;
  const sorted = Float64Array.from(latencies).sort();
  const outcome: OpenLoopOutcome = {
    requests: latencies.length + unanswered,
    errors: errors + unanswered,
    p50Ms: quantile(sorted, 0.5),
    p90Ms: quantile(sorted, 0.9),
    p99Ms: quantile(sorted, 0.99),
    p999Ms: quantile(sorted, 0.999),
    maxMs: sorted.at(-1)!,
    ownLagP99Ms: quantile(Float64Array.from(ownLags).sort(), 0.99),
    ownCpuUs: user + system,
  };
  process.stdout.write(JSON.stringify(outcome), () => process.exit(0));
}

function run(startMs: number): void {
  countFromMs = startMs + load.warmUpSeconds * 1000;
  const endMs = countFromMs + load.seconds * 1000;
  let dueMs = startMs;
  const turn = (): void => {
    const now = performance.now();
    while (dueMs <= now && dueMs < endMs) {
      const connection = idle.pop();
      if (connection === undefined) {
        waiting.push(dueMs);
      } else {
        if (dueMs >= countFromMs) ownLags.push(performance.now() - dueMs);
        send(connection, dueMs);
      }
      dueMs += (-Math.log(random()) * 1000) / load.requestsPerSecond;
    }
    const isAnswered = answers === sent && waiting.length === 0;
    if (now > endMs && (isAnswered || now > endMs + GRACE_MS)) {
      report();
      return;
    }
    const leftMs = dueMs - performance.now();
    if (leftMs > 0) Atomics.wait(nap, 0, 0, Math.min(NAP_MS, leftMs));
    setImmediate(turn);
  };
  turn();
}

let connected = 0;
for (let index = 0; index < load.connections; index += 1) {
  const connection = new Connection(answered);
  connection.socket.once('connect', () => {
    idle.push(connection);
    connected += 1;
    if (connected === load.connections) run(performance.now() + 50);
  });
}
