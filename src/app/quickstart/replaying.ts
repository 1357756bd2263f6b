import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { present } from '../../base/assert.ts';
import { formatInstant, micros, parseInstant, type Micros } from '../../base/time.ts';
import { systemClock } from '../../platform/system.ts';
import { runReplay } from './replay-child.ts';
import { BEGINS, count, type Phase, type Saying, type Story } from './story.ts';

const HOUR_MICROS = 3600 * 1_000_000;
const DAY_MICROS = 24 * HOUR_MICROS;

/** The first staged fault: distances come in kilometres for three days. */
const KILOMETRES = {
  from: present(parseInstant('2001-05-20T06:00:00Z'), 'an instant'),
  until: present(parseInstant('2001-05-23T06:00:00Z'), 'an instant'),
};
/** The second: somebody trains on shuffled labels, and then forces the version through. */
const SHUFFLED = present(parseInstant('2001-06-05T00:00:00Z'), 'an instant');
/** How long the staged version waits for a loop that is busy. */
const BUSY_DAYS_MAX = 14;
/** Decisions are asked for this often while the replay goes on. */
const LOOK_MS = 1000;

/** Four months, minute by minute, with two faults on the way that are announced as staged. */
export const replay: Phase = async (story, say) => {
  const { tell, until, report } = story;
  report.from = formatInstant(BEGINS);
  report.until = formatInstant(until);
  const watch = new Watch(story, say);
  if (KILOMETRES.from < until) {
    stage(story, KILOMETRES.from, 'distance turns from miles to kilometres for three days');
  }
  let planned = 0;
  const playUntil = async (to: Micros): Promise<void> => {
    const from = await tell.now();
    if (from < to) ({ planned } = await watch.play(from, to));
  };
  if (SHUFFLED < until) {
    await playUntil(SHUFFLED);
    await stageShuffledLabels(story, { playUntil, say });
  }
  await playUntil(until);
  await watch.look();
  report.requests = planned;
  return `${count(planned)} departures of one minute in ten asked, ${report.decisions.length} decisions`;
};

/** Trained on shuffled labels: the gate rejects it; forced through, the guard rolls it back. */
async function stageShuffledLabels(
  story: Story,
  on: { readonly playUntil: (to: Micros) => Promise<void>; readonly say: Saying },
): Promise<void> {
  const { tell, folder, until } = story;
  let at = SHUFFLED;
  for (let day = 0; (await tell.loop()).instance !== null; day += 1) {
    at = micros(at + DAY_MICROS);
    if (day === BUSY_DAYS_MAX || at >= until) return;
    await on.playUntil(at);
  }
  const announce = (what: string): void => {
    stage(story, at, what);
    on.say.line(`${formatInstant(at).slice(0, 10)}         staged      ${what}`);
  };
  announce('labels are shuffled before a training');
  await changeParams(folder, 'shuffle_labels: false', 'shuffle_labels: true');
  await tell.trigger('staged fault: labels shuffled');
  at = micros(at + DAY_MICROS);
  if (at >= until) return;
  await on.playUntil(at);
  await changeParams(folder, 'shuffle_labels: true', 'shuffle_labels: false');
  const shuffled = await tell.newestChallenger();
  announce('the rejected version is forced through by an override');
  await tell.challenge(shuffled, 'staged fault: a rejected version is forced through');
}

async function changeParams(folder: string, from: string, to: string): Promise<void> {
  const file = path.join(folder, 'params.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace(from, to));
}

function stage({ report }: Story, at: Micros, what: string): void {
  report.staged.push({ at: formatInstant(at), what });
}

/** Follows a replay, and tells of decisions as they are made. */
class Watch {
  readonly #story: Story;
  readonly #say: Saying;
  #looked = -Infinity;
  #looking: Promise<void> = Promise.resolve();
  #asked = 0;
  #seconds = 0;

  constructor(story: Story, say: Saying) {
    this.#story = story;
    this.#say = say;
  }

  async play(from: Micros, until: Micros): Promise<{ readonly planned: number }> {
    const { url, token, folder } = this.#story;
    const order = {
      url,
      folder: path.resolve(folder),
      from: formatInstant(from),
      until: formatInstant(until),
      loadedUntil: formatInstant(BEGINS),
      kilometres: { from: formatInstant(KILOMETRES.from), until: formatInstant(KILOMETRES.until) },
    };
    const start = systemClock.elapsed();
    const done = await runReplay(order, token, ({ at, asked }) => {
      const seconds = this.#seconds + (systemClock.elapsed() - start) / 1000;
      const all = this.#asked + asked;
      const rate = count(Math.round(all / seconds));
      this.#say.now(`${at.slice(0, 10)}   ${count(all)} requests   ${rate}/s`);
      if (systemClock.elapsed() - this.#looked > LOOK_MS) this.#lookSoon();
    });
    this.#asked += done.asked;
    this.#seconds += (systemClock.elapsed() - start) / 1000;
    await this.#looking;
    return done;
  }

  /** Tells everything decided so far. */
  async look(): Promise<void> {
    await this.#looking;
    await this.#tellNew();
  }

  #lookSoon(): void {
    this.#looked = systemClock.elapsed();
    // What cannot be asked now is told at the end.
    this.#looking = this.#looking.then(() => this.#tellNew()).catch(() => undefined);
  }

  async #tellNew(): Promise<void> {
    const { tell, report } = this.#story;
    const decisions = await tell.decisions();
    for (const { at, kind, reason } of decisions.slice(report.decisions.length)) {
      this.#say.line(`${at.slice(0, 16).replace('T', ' ')}   ${kind.padEnd(11)} ${reason}`);
    }
    report.decisions = decisions.map(({ at, kind, reason }) => ({ at, kind, reason }));
  }
}
