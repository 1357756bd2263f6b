import { Agent, request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** One client with connections of its own, which it keeps; it never sends a request twice. */
export class HttpClient {
  readonly #base: URL;
  readonly #agent: Agent;

  constructor(url: string, options: { readonly connections?: number } = {}) {
    this.#base = new URL(url);
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections ?? 8 });
  }

  /** Rejects when the whole answer was not received. */
  call({ method = 'GET', path, headers = {}, body }: Call): Promise<Answer> {
    const { hostname, port } = this.#base;
    return new Promise((resolve, reject) => {
      const sent = request(
        { hostname, port, method, path, headers, agent: this.#agent },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('close', () => {
            if (!response.complete) {
              reject(new Error('the answer was cut off'));
              return;
            }
            const { statusCode = 0, headers: received } = response;
            resolve({
              status: statusCode,
              headers: received,
              body: Buffer.concat(chunks).toString(),
            });
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** Sends JSON and reads JSON; rejects for any status but a 2xx. */
  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.call({
      method,
      path,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body) as T;
  }

  close(): void {
    this.#agent.destroy();
  }
}
