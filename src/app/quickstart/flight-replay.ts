import { present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import { micros, parseInstant, type Micros } from '../../base/time.ts';
import { DEPARTURES, LANDINGS, type FlightFiles, type Row } from './flight-files.ts';
import { ENDPOINT, type FlightsStory } from './flights-story.ts';

export const MINUTE_MICROS = 60 * 1_000_000;
/** Requests under way at once: as many as a small service would see. */
const CONCURRENCY = 16;

export interface ReplayedRequest {
  readonly requestId: string;
  readonly flightId: number;
  readonly version: number;
  /** P(late). */
  readonly probability: number;
}

export interface Outcome {
  readonly flightId: number;
  readonly late: boolean;
}

type Told = Pick<FlightsStory, 'append' | 'awaitOnline' | 'advance'>;

/**
 * History as it happened: for each minute of domain time the flights that landed before it are
 * appended, then the clock moves, then the departures of that minute ask.
 */
export class FlightReplay {
  readonly #story: Told;
  readonly #url: string;
  readonly #departures: readonly Row[];
  readonly #landings: readonly Row[];
  /** Landings that were appended: nobody knows of others yet. */
  readonly #landed: Row[] = [];

  private constructor(parts: {
    readonly story: Told;
    readonly url: string;
    readonly departures: readonly Row[];
    readonly landings: readonly Row[];
  }) {
    this.#story = parts.story;
    this.#url = parts.url;
    this.#departures = parts.departures;
    this.#landings = parts.landings;
  }

  /** `loadedUntil`: landings before it are in the table already. */
  static async read(
    files: Pick<FlightFiles, 'between'>,
    span: { readonly from: Micros; readonly until: Micros; readonly loadedUntil: Micros },
    asked: { readonly story: Told; readonly url: string },
  ): Promise<FlightReplay> {
    const departures = await files.between(DEPARTURES, span.from, span.until);
    const landings = await files.between(LANDINGS, span.loadedUntil, span.until);
    return new FlightReplay({ ...asked, departures, landings });
  }

  /** Plays the minute that begins at `at` and answers what was asked in it. */
  async minute(at: Micros): Promise<readonly ReplayedRequest[]> {
    const [before, after] = [micros(at - MINUTE_MICROS), micros(at + MINUTE_MICROS)];
    const sequence = at / MINUTE_MICROS;
    const landed = within(this.#landings, 'landed_at', { from: before, until: at });
    const departed = within(this.#departures, 'departed_at', { from: at, until: after });
    if (landed.length > 0) {
      await this.#story.awaitOnline(await this.#story.append(LANDINGS, landed, sequence));
      this.#landed.push(...landed);
    }
    await this.#story.advance(at);
    const answers = await this.#ask(departed);
    if (departed.length > 0) await this.#story.append(DEPARTURES, departed, sequence);
    return answers;
  }

  /** Outcomes of the flights that asked and have landed by the last minute played. */
  outcomes(asked: ReadonlySet<number>): readonly Outcome[] {
    return this.#landed
      .filter(({ flight_id: id }) => asked.has(Number(id)))
      .map((row) => ({ flightId: Number(row['flight_id']), late: row['late'] === true }));
  }

  async #ask(flights: readonly Row[]): Promise<readonly ReplayedRequest[]> {
    const answers: ReplayedRequest[] = [];
    const waiting = [...flights];
    const worker = async (): Promise<void> => {
      for (let flight = waiting.shift(); flight !== undefined; flight = waiting.shift()) {
        answers.push(await this.#infer(flight));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    return answers;
  }

  async #infer(flight: Row): Promise<ReplayedRequest> {
    const text = (name: string) => ({
      name,
      shape: [1, 1],
      datatype: 'BYTES',
      data: [flight[name]],
    });
    const distance = {
      name: 'distance',
      shape: [1, 1],
      datatype: 'INT32',
      data: [flight['distance']],
    };
    const response = await fetch(`${this.#url}/v2/models/${ENDPOINT}/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        parameters: { flight_id: String(flight['flight_id']) },
        inputs: [text('origin'), text('destination'), distance],
      }),
    });
    const body = await response.text();
    if (!response.ok) throw new AppError('INTERNAL', `The endpoint answered ${body}`);
    const parsed = JSON.parse(body) as {
      readonly model_version: string;
      readonly outputs: readonly { readonly name: string; readonly data: readonly number[] }[];
    };
    const probabilities = parsed.outputs.find(({ data }) => data.length === 2);
    return {
      requestId: present(response.headers.get('x-request-id'), 'the request id'),
      flightId: Number(flight['flight_id']),
      version: Number(parsed.model_version),
      probability: present(probabilities?.data[1], 'the probability'),
    };
  }
}

function within(
  rows: readonly Row[],
  column: string,
  span: { readonly from: Micros; readonly until: Micros },
): readonly Row[] {
  return rows.filter((row) => {
    const at = present(parseInstant(String(row[column])), `an instant in ${column}`);
    return at >= span.from && at < span.until;
  });
}
