import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { guardedLookup, parseOutgoingUrl, type Resolve } from '../outgoing-url.ts';
import { after } from '../system.ts';
import type { OutboxHandler } from './port.ts';

const TIMEOUT_MS = 10_000;
/** The receiver's answer matters only as far as a person reads it in an error. */
const ANSWER_BYTES_MAX = 16 * 1024;
const ANSWER_SHOWN = 200;

export interface WebhookOptions {
  readonly timeoutMs?: number;
  readonly resolve?: Resolve;
}

/**
 * Delivers messages as HTTP POSTs of their JSON to the target URL, with the message's id as
 * `Idempotency-Key`. Any 2xx answer is a success; redirects are not followed. It uses node:http,
 * not fetch, because only there the address that was checked is the one connected to.
 */
export function createWebhook(options: WebhookOptions = {}): OutboxHandler {
  const { timeoutMs = TIMEOUT_MS } = options;
  const lookup = guardedLookup(options.resolve);
  return async (message, context) => {
    const url = parseOutgoingUrl(message.target);
    const body = Buffer.from(JSON.stringify(message.payload));
    const timeout = new AbortController();
    const cancel = after(timeoutMs, () => {
      timeout.abort(new Error(`no answer within ${timeoutMs} ms`));
    });
    const signal = AbortSignal.any([context.signal, timeout.signal]);
    try {
      const answer = await post(url, { id: message.id, body, lookup, signal });
      await assertAccepted(answer);
    } catch (error) {
      throw timeout.signal.aborted ? timeout.signal.reason : error;
    } finally {
      cancel();
    }
  };
}

function post(
  url: URL,
  options: {
    readonly id: string;
    readonly body: Buffer;
    readonly lookup: ReturnType<typeof guardedLookup>;
    readonly signal: AbortSignal;
  },
): Promise<IncomingMessage> {
  const { id, body, lookup, signal } = options;
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      'idempotency-key': id,
      'user-agent': 'millwright',
    };
    request(url, { method: 'POST', headers, lookup, signal, agent: false })
      .on('response', resolve)
      .on('error', reject)
      .end(body);
  });
}

async function assertAccepted(answer: IncomingMessage): Promise<void> {
  const { statusCode = 0 } = answer;
  const said = await text(beginning(answer));
  if (statusCode >= 200 && statusCode < 300) return;
  const isRedirect = statusCode >= 300 && statusCode < 400;
  const why = isRedirect ? 'redirects are not followed' : said.slice(0, ANSWER_SHOWN);
  throw new Error(`the receiver answered ${statusCode}: ${why}`);
}

async function* beginning(answer: IncomingMessage): AsyncGenerator<Uint8Array, void> {
  let sizeBytes = 0;
  for await (const chunk of answer as AsyncIterable<Uint8Array>) {
    yield chunk;
    sizeBytes += chunk.length;
    if (sizeBytes > ANSWER_BYTES_MAX) return;
  }
}
