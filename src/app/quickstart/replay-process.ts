import path from 'node:path';
import { present } from '../../base/assert.ts';
import { AppError, toAppError } from '../../base/errors.ts';
import { formatInstant, parseInstant, type Micros } from '../../base/time.ts';
import { HttpApi } from '../../platform/cli/http-api.ts';
import { socketTransport } from '../../platform/cli/socket-transport.ts';
import { processEnv, systemClock } from '../../platform/system.ts';
import { FlightClient, requestIdOf } from './flight-client.ts';
import { flightsIn, readFlights, type FlightColumns } from './flight-columns.ts';
import { DEPARTURES, FlightFiles, LANDINGS } from './flight-files.ts';
import { FlightReplay, slotsBetween } from './flight-replay.ts';
import { ENDPOINT, FlightsStory } from './flights-story.ts';
import type { ReplayOrder, ReplayProgress } from './replay-order.ts';
import { MINUTE_MICROS, sampledMinute } from './sampled-minutes.ts';

/** How often the one who started this hears of it. */
const SAY_MS = 500;

/** Plays what the order says, over HTTP alone; a line of JSON on stdout tells how far it is. */
async function replay(order: ReplayOrder): Promise<void> {
  const { url, folder } = order;
  const token = processEnv['MILLWRIGHT_TOKEN'];
  const api = new HttpApi(socketTransport(url), { actor: 'replay', token });
  const story = new FlightsStory({ api, folder });
  const [from, until, loadedUntil] = [order.from, order.until, order.loadedUntil].map(instant) as [
    Micros,
    Micros,
    Micros,
  ];
  const kilometres = order.kilometres && {
    from: instant(order.kilometres.from),
    until: instant(order.kilometres.until),
  };
  await using files = await FlightFiles.open(path.join(folder, 'data'));
  // How many were to ask is told of all, also of those that a former process played.
  const all = { from: loadedUntil, until };
  const [departures, landings] = await Promise.all([
    readFlights(files.analytics, files.located(DEPARTURES), all),
    readFlights(files.analytics, files.located(LANDINGS), { from, until }),
  ]);
  using client = new FlightClient(url, ENDPOINT, token);
  const played = {
    append: story.append.bind(story),
    awaitOnline: story.awaitOnline.bind(story),
    advance: story.advance.bind(story),
    ask: client.ask.bind(client),
    hasAsked: async (flight: number) => {
      try {
        await story.trace(requestIdOf(flight));
        return true;
      } catch (thrown) {
        if (thrown instanceof AppError && thrown.code === 'REQUEST_NOT_FOUND') return false;
        throw thrown;
      }
    },
  };
  const replayed = new FlightReplay(
    { departures, landings, loadedUntil, from, kilometres },
    played,
  );
  let asked = 0;
  let said = -Infinity;
  // The clock says how far a former process came; the minute it stands at may be half asked.
  let isFirst = true;
  for (const slot of slotsBetween(from, until)) {
    asked += await replayed.play(slot, isFirst);
    isFirst = false;
    if (systemClock.elapsed() - said < SAY_MS) continue;
    said = systemClock.elapsed();
    const at = sampledMinute(slot);
    say({ at: formatInstant(at), asked, planned: plannedUntil(departures, loadedUntil, at) });
  }
  await replayed.finish(until);
  say({ at: order.until, asked, planned: plannedUntil(departures, loadedUntil, until) });
}

/** Departures of the minutes played before `until`. */
function plannedUntil(departures: FlightColumns, from: Micros, until: Micros): number {
  let planned = 0;
  for (const slot of slotsBetween(from, until)) {
    const at = sampledMinute(slot);
    const [first, end] = flightsIn(departures, { from: at, until: at + MINUTE_MICROS });
    planned += end - first;
  }
  return planned;
}

function instant(text: string): Micros {
  return present(parseInstant(text), `an instant, not ${text}`);
}

function say(progress: ReplayProgress): void {
  process.stdout.write(`${JSON.stringify(progress)}\n`);
}

try {
  await replay(JSON.parse(process.argv[2] ?? '') as ReplayOrder);
} catch (thrown) {
  const { code, message, hint } = toAppError(thrown);
  process.stderr.write(`${code}: ${message}\n${hint ?? ''}\n`);
  if (code === 'INTERNAL') process.stderr.write(`${String((thrown as Error).stack)}\n`);
  process.exitCode = 2;
}
