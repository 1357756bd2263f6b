import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { AppError, toAppError } from '../../src/base/errors.ts';
import { EVENT_STREAM_PATH, type Event } from '../../src/capabilities/workspace/contract.ts';
import { ANSWERS } from './fixture-answers.ts';
import type { Fixture } from './fixture-data.ts';
import { watchAnswers, type WatchFixture } from './fixture-watch.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** What is shown; without `watch` monitors and loops are the fixture's own. */
type Shown = Fixture & { readonly watch?: WatchFixture };

/**
 * Stands in for the server: the built page with its fallback for deep links, and native routes
 * answered from plain data that went through the contracts' own schemas.
 */
export class FixtureServer {
  #fixture: Shown;
  readonly #webRoot: string;
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  /** While false every stream is refused, as by a server that is restarting. */
  acceptsStreams = true;

  private constructor(webRoot: string, fixture: Fixture) {
    this.#webRoot = webRoot;
    this.#fixture = fixture;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(webRoot: string, fixture: Fixture): Promise<FixtureServer> {
    const made = new FixtureServer(webRoot, fixture);
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  show(fixture: Shown): void {
    this.#fixture = fixture;
  }

  /** Records an event and sends it to every open stream. */
  emit(event: Event): void {
    this.#fixture = { ...this.#fixture, events: [...this.#fixture.events, event] };
    for (const stream of this.#streams) writeEvent(stream, event);
  }

  dropStreams(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  async close(): Promise<void> {
    this.dropStreams();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    try {
      const artifact = /^\/api\/v1\/runs\/[^/]+\/artifact$/.test(url.pathname);
      if (url.pathname === EVENT_STREAM_PATH) this.#follow(url, request, response);
      else if (artifact) this.#sendArtifact(url.searchParams.get('path') ?? '', response);
      else if (url.pathname.startsWith('/api/') || url.pathname === '/health') {
        sendJson(response, 200, this.#reply(url, await bodyOf(request)));
      } else await this.#sendFile(url.pathname, response);
    } catch (error) {
      const { status, ...rest } = { status: toAppError(error).status, error: toAppError(error) };
      sendJson(response, status, { error: rest.error.toBody() });
    }
  }

  #reply(url: URL, body: unknown): unknown {
    const { watch } = this.#fixture;
    const watched = watch === undefined ? [] : watchAnswers(watch);
    for (const { route, reply } of [...watched, ...ANSWERS]) {
      const params = matchPath(route.path, url.pathname);
      if (params === null) continue;
      const request = {
        params: route.params?.parse(params),
        query: route.query?.parse(Object.fromEntries(url.searchParams)),
        body: route.body?.parse(body),
      };
      return route.reply.parse(reply(request, this.#fixture));
    }
    throw new AppError('ROUTE_NOT_FOUND', `There is no ${url.pathname}.`);
  }

  #sendArtifact(path: string, response: ServerResponse): void {
    const text = this.#fixture.tracking.files[path];
    if (text === undefined) {
      throw new AppError('ARTIFACT_NOT_FOUND', `The run has no file ${path}.`, {
        hint: 'Its files are listed on its page.',
      });
    }
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment',
    });
    response.end(text);
  }

  #follow(url: URL, request: IncomingMessage, response: ServerResponse): void {
    if (!this.acceptsStreams) throw new AppError('STOPPING', 'The server is stopping.');
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': following\n\n');
    const after = Number(url.searchParams.get('after'));
    for (const event of this.#fixture.events) {
      if (event.seq > after) writeEvent(response, event);
    }
    this.#streams.add(response);
    request.on('close', () => this.#streams.delete(response));
  }

  async #sendFile(path: string, response: ServerResponse): Promise<void> {
    const file = path.startsWith('/assets/') ? normalize(path) : '/index.html';
    const bytes = await readFile(join(this.#webRoot, file));
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    response.end(bytes);
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  if (request.method !== 'POST') return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function writeEvent(stream: ServerResponse, event: Event): void {
  stream.write(`id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`);
}

/** The values of `:name` parts, or null when the path is another route's. */
function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index]!;
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(value);
    else if (part !== value) return null;
  }
  return params;
}
