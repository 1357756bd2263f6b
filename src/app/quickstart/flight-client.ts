import { Agent, request, type RequestOptions } from 'node:http';
import { urlToHttpOptions } from 'node:url';
import { AppError } from '../../base/errors.ts';

/** Requests under way at once: as many as a small service would see. */
const CONNECTIONS = 16;

/** A departure as it asks the endpoint. */
export interface AskedFlight {
  readonly id: number;
  readonly origin: string;
  readonly destination: string;
  readonly distance: number;
}

/** Asks an endpoint over Open Inference, as any client would, on connections that stay open. */
export class FlightClient implements Disposable {
  readonly #to: RequestOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

  readonly #token: string | undefined;

  constructor(url: string, endpoint: string, token: string | undefined) {
    this.#token = token;
    const to = urlToHttpOptions(new URL(`/v2/models/${endpoint}/infer`, url));
    this.#to = { ...to, method: 'POST', agent: this.#agent };
  }

  /** Throws unless it was answered. */
  async ask(flight: AskedFlight): Promise<void> {
    const text = (name: string, value: string) => {
      return { name, shape: [1, 1], datatype: 'BYTES', data: [value] };
    };
    const { distance } = flight;
    const body = JSON.stringify({
      id: requestIdOf(flight.id),
      parameters: { flight_id: String(flight.id) },
      inputs: [
        text('origin', flight.origin),
        text('destination', flight.destination),
        { name: 'distance', shape: [1, 1], datatype: 'INT32', data: [distance] },
      ],
    });
    const { status, text: answer } = await this.#post(body);
    if (status !== 200) throw new AppError('INTERNAL', `The endpoint answered ${answer}`);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #post(body: string): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
      };
      const asked = request({ ...this.#to, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString('utf8'),
          });
        });
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }
}

/** A flight asks once: its request can be found again, and is not repeated. */
export function requestIdOf(flightId: number): string {
  return `flight-${flightId}`;
}
