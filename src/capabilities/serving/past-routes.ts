import { present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import {
  formatInstant,
  micros,
  MICROS_PER_SECOND,
  parseInstant,
  type Clock,
  type Micros,
} from '../../base/time.ts';
import type { Events } from '../../platform/events/port.ts';
import type { PredictionsService } from '../predictions/service.ts';
import type { Arm, EndpointSpec, RouteRevision, WhoServed } from './contract.ts';
import { choose, layOut } from './routing.ts';
import type { ServingStore } from './store.ts';

export interface PastRoutesDeps {
  readonly store: Pick<ServingStore, 'requireEndpoint' | 'revisionAt'>;
  readonly predictions: Pick<PredictionsService, 'near'>;
  readonly events: Pick<Events, 'list'>;
  readonly clock: Pick<Clock, 'now'>;
}

export interface PastQuery {
  /** Domain time, RFC 3339. */
  readonly at?: string | undefined;
  /** `NAME=VALUE`. */
  readonly key?: string | undefined;
  readonly limit: number;
}

type Key = NonNullable<WhoServed['key']>;
type Sticky = Pick<EndpointSpec, 'key' | 'sticky'>;

/** What an endpoint without keys spreads requests by. */
const REQUEST_ID = 'request_id';
/** Requests further away than this from a moment tell nothing about it. */
const NEAR_MICROS = 86_400 * MICROS_PER_SECOND;
const EVENTS_A_PAGE = 200;
/** Events of an endpoint that are searched for how it was declared. */
const EVENT_PAGES = 20;

/** Which version answered at a moment of the past: from route revisions, which are never edited. */
export class PastRoutes {
  readonly #deps: PastRoutesDeps;

  constructor(deps: PastRoutesDeps) {
    this.#deps = deps;
  }

  async whoServed(endpoint: string, query: PastQuery): Promise<WhoServed> {
    const { store, clock } = this.#deps;
    const spec = await store.requireEndpoint(endpoint);
    const at = query.at === undefined ? clock.now() : present(parseInstant(query.at), 'an instant');
    const sticky = await this.#declaredAt(endpoint, at, spec);
    const key = query.key === undefined ? null : parseKey(query.key);
    const by = stickyBy(sticky);
    if (key !== null) assertKey(key, endpoint, sticky);
    const found = await store.revisionAt(endpoint, at);
    const decided = decide(found?.revision ?? null, { key, by });
    const next = found?.until ?? null;
    const range = {
      from: micros(Math.max(at - NEAR_MICROS, firstOf(found?.revision))),
      until: micros(Math.min(at + NEAR_MICROS, next ?? Infinity)),
    };
    const near = { endpoint, at, ...range, is: wanted(key, sticky, decided), limit: query.limit };
    const requests = found === null || query.limit === 0 ? [] : await this.#near(near, key);
    return {
      endpoint,
      at: formatInstant(at),
      revision: found?.revision ?? null,
      until: next === null ? null : formatInstant(next),
      ranges: found === null ? [] : rangesOf(found.revision),
      stickyBy: by,
      key,
      ...decided,
      requests,
    };
  }

  async #near(
    query: Parameters<PredictionsService['near']>[0],
    key: Key | null,
  ): Promise<WhoServed['requests']> {
    const found = await this.#deps.predictions.near(query);
    return found
      .filter(({ entity }) => key === null || mayBeOf(entity, key))
      .map(({ request }) => request);
  }

  /** How the endpoint told callers apart then: as the last change before the moment declared it. */
  async #declaredAt(endpoint: string, at: Micros, current: Sticky): Promise<Sticky> {
    const subject = `endpoint/${endpoint}`;
    let declared: Sticky = current;
    let before: number | undefined;
    for (let page = 0; page < EVENT_PAGES; page += 1) {
      const events = await this.#deps.events.list({
        subject,
        limit: EVENTS_A_PAGE,
        ...(before === undefined ? {} : { before }),
      });
      for (const { kind, now, data, seq } of events) {
        before = seq;
        if (kind !== 'endpoint.created' && kind !== 'endpoint.changed') continue;
        declared = { key: textOf(data['key']), sticky: textOf(data['sticky']) };
        if (now <= at) return declared;
      }
      if (events.length < EVENTS_A_PAGE) break;
    }
    // Before all of it was declared for the first time as this.
    return declared;
  }
}

/** The parameter whose value the gateway hashes, when the request has it. */
function stickyBy({ sticky, key }: Sticky): string {
  return sticky ?? key ?? REQUEST_ID;
}

function parseKey(text: string): Key {
  const end = text.indexOf('=');
  return { name: text.slice(0, end), value: text.slice(end + 1) };
}

function assertKey({ name }: Key, endpoint: string, { sticky, key }: Sticky): void {
  const known = [sticky, key, REQUEST_ID].filter((one) => one !== null);
  if (known.includes(name)) return;
  throw new AppError('INVALID_INPUT', `Endpoint ${endpoint} told no callers apart by ${name}.`, {
    hint: `It knew ${[...new Set(known)].join(', ')}: ask for --key ${known[0]}=VALUE`,
  });
}

/** The arm, where the revision and the key leave no choice. */
function decide(
  revision: RouteRevision | null,
  { key, by }: { readonly key: Key | null; readonly by: string },
): Pick<WhoServed, 'answer' | 'undecided'> {
  if (revision === null) return { answer: null, undecided: 'nothing was deployed' };
  if (key?.name === by) {
    // As the gateway keeps it.
    const table = layOut(revision.arms, revision.salt);
    const { arm, bucket } = choose(table, key.value.toWellFormed());
    return { answer: { ...armText(arm), bucket }, undecided: null };
  }
  const [only, ...others] = revision.arms.filter(({ weight }) => weight > 0);
  if (only !== undefined && others.length === 0) {
    return { answer: { ...armText(only), bucket: null }, undecided: null };
  }
  const shared = `${others.length + 1} arms shared the traffic, told apart by ${by}`;
  return { answer: null, undecided: key === null ? shared : `${shared} and not by ${key.name}` };
}

function armText({ name, model, version }: Arm): Omit<NonNullable<WhoServed['answer']>, 'bucket'> {
  return { arm: name, model, version };
}

/** What the rows of the key's requests have in a column, as far as a column tells. */
function wanted(
  key: Key | null,
  sticky: Sticky,
  { answer }: Pick<WhoServed, 'answer'>,
): Readonly<Record<string, string | number>> {
  if (key === null) return {};
  if (key.name === sticky.key) return { key: key.value.toWellFormed() };
  if (key.name === REQUEST_ID) return { request_id: key.value };
  return answer?.bucket == null ? {} : { bucket: answer.bucket, reason: 'sticky' };
}

/** Other keys share the bucket; what the features are of tells some of them apart. */
function mayBeOf(entity: string | null, { name, value }: Key): boolean {
  if (entity === null) return true;
  const parsed: unknown = JSON.parse(entity);
  const rows = (Array.isArray(parsed) ? parsed : [parsed]) as readonly unknown[];
  return rows.some((row) => {
    const own = (row as Readonly<Record<string, string | number | boolean>> | null)?.[name];
    return own === undefined || String(own) === value;
  });
}

function rangesOf({ arms }: RouteRevision): WhoServed['ranges'] {
  let from = 0;
  return arms.flatMap(({ name, version, weight }) => {
    if (weight === 0) return [];
    const range = { arm: name, version, from, below: from + weight };
    from += weight;
    return [range];
  });
}

function firstOf(revision: RouteRevision | undefined): number {
  return revision === undefined ? -Infinity : (parseInstant(revision.now) ?? -Infinity);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
