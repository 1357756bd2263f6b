import { formatInstant } from '../../base/time.ts';
import type { Clock } from '../../base/time.ts';
import type { Fact, FactQuestion, Facts } from '../../platform/capability.ts';
import type { LabelService } from './label-service.ts';

const DAY_MICROS = 86_400_000_000;
/** Enough for every weekday, and little to read. */
const DAYS = 7;

/** What became of the labels of the newest requests. */
export class PredictionsFacts implements Facts {
  readonly #labels: Pick<LabelService, 'states'>;
  readonly #clock: Pick<Clock, 'wall'>;

  constructor(deps: {
    readonly labels: Pick<LabelService, 'states'>;
    readonly clock: Pick<Clock, 'wall'>;
  }) {
    this.#labels = deps.labels;
    this.#clock = deps.clock;
  }

  async factsOf({ endpoint, now }: FactQuestion): Promise<readonly Fact[]> {
    const from = formatInstant((now - DAYS * DAY_MICROS) as typeof now);
    const [until, at] = [formatInstant(now), formatInstant(now)];
    const { source, requests, mature, coverage, delays } = await this.#labels.states(endpoint, {
      from,
      until,
      at,
    });
    const data = { label: source?.label ?? null, days: DAYS, requests, mature, coverage, delays };
    return [{ kind: 'labels', subject: endpoint, at: now, wall: this.#clock.wall(), data }];
  }
}
