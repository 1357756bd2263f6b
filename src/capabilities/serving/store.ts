import { AppError } from '../../base/errors.ts';
import { formatInstant, type Micros } from '../../base/time.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import type { Arm, DeploymentCheck, EndpointSpec, Rollout, RouteRevision } from './contract.ts';

interface EndpointsRow {
  readonly name: string;
  readonly model: string;
  readonly key: string | null;
  readonly sticky: string | null;
  readonly durability: 'async' | 'sync';
  readonly service: string | null;
  readonly rollout: string | null;
  readonly created_at: Micros;
  readonly current_revision: number;
}

interface RevisionsRow {
  readonly id: string;
  readonly endpoint: string;
  readonly revision: number;
  readonly arms: string;
  readonly salt: string;
  readonly actor: string;
  readonly reason: string;
  readonly restores: number | null;
  readonly features: string | null;
  readonly evidence: string | null;
  /** 1 for a drill's. */
  readonly drill: number | null;
  readonly now: Micros;
  readonly wall: Micros;
  readonly hash: string;
}

interface ServingTables {
  readonly serving_endpoints: EndpointsRow;
  readonly serving_revisions: RevisionsRow;
}

export interface StoredEndpoint extends EndpointSpec {
  readonly name: string;
  readonly createdAt: Micros;
  /** Zero until something is deployed. */
  readonly currentRevision: number;
}

export interface PublishedRevision {
  readonly revision: RouteRevision;
  readonly now: Micros;
  readonly wall: Micros;
}

export interface ServiceInUse {
  readonly endpoint: string;
  /** Of the next deployment. */
  readonly named: string | null;
  /** Of the current revision. */
  readonly routed: string | null;
}

/** The tables `serving_endpoints` and `serving_revisions`; revisions are only ever added. */
export class ServingStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async putEndpoint(
    endpoint: { readonly name: string; readonly spec: EndpointSpec; readonly at: Micros },
    events: readonly Step[],
  ): Promise<void> {
    const { name, spec, at } = endpoint;
    const rollout = spec.rollout === null ? null : JSON.stringify(spec.rollout);
    const changeable = { ...spec, rollout };
    const query = this.#db
      .queries<ServingTables>()
      .insertInto('serving_endpoints')
      .values({ name, ...changeable, created_at: at, current_revision: 0 })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(changeable));
    await this.#db.write([{ query }, ...events]);
  }

  async findEndpoint(name: string): Promise<StoredEndpoint | null> {
    const query = this.#db
      .queries<ServingTables>()
      .selectFrom('serving_endpoints')
      .selectAll()
      .where('name', '=', name);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : toEndpoint(row);
  }

  async requireEndpoint(name: string): Promise<StoredEndpoint> {
    const found = await this.findEndpoint(name);
    if (found !== null) return found;
    throw new AppError('ENDPOINT_NOT_FOUND', `There is no endpoint ${name}.`, {
      hint: `Create it with: millwright endpoints create ${name} --model MODEL`,
    });
  }

  /** By name, those after `after`. */
  async listEndpoints(page: {
    readonly after: string | null;
    readonly limit: number;
  }): Promise<readonly StoredEndpoint[]> {
    let query = this.#db
      .queries<ServingTables>()
      .selectFrom('serving_endpoints')
      .selectAll()
      .orderBy('name')
      .limit(page.limit);
    if (page.after !== null) query = query.where('name', '>', page.after);
    return (await this.#db.read(query)).map(toEndpoint);
  }

  /** Adds the next revisions; `STALE_REVISION` when another one took a number meanwhile. */
  async publish(published: readonly PublishedRevision[], events: readonly Step[]): Promise<void> {
    await this.#db.write([...published.flatMap((one) => this.#add(one)), ...events]);
  }

  #add({ revision, now, wall }: PublishedRevision): readonly Step[] {
    const { arms, features, evidence, isDrill, ...rest } = revision;
    const builder = this.#db.queries<ServingTables>();
    const stale = new AppError(
      'STALE_REVISION',
      `The route of ${revision.endpoint} changed meanwhile.`,
      { hint: 'Look at its newest revision and decide again.' },
    );
    return [
      {
        query: builder
          .updateTable('serving_endpoints')
          .set({ current_revision: revision.revision })
          .where('name', '=', revision.endpoint)
          .where('current_revision', '=', revision.revision - 1),
        expect: { rows: 1, otherwise: stale },
      },
      {
        query: builder.insertInto('serving_revisions').values({
          ...rest,
          arms: JSON.stringify(arms),
          features: features === null ? null : JSON.stringify(features),
          evidence: evidence.length === 0 ? null : JSON.stringify(evidence),
          drill: isDrill ? 1 : null,
          now,
          wall,
        }),
      },
    ];
  }

  async findRevision(endpoint: string, revision: number): Promise<RouteRevision | null> {
    const query = this.#db
      .queries<ServingTables>()
      .selectFrom('serving_revisions')
      .selectAll()
      .where('endpoint', '=', endpoint)
      .where('revision', '=', revision);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : toRevision(row);
  }

  /** The revision that was current at this domain time, and when the next one took over. */
  async revisionAt(
    endpoint: string,
    now: Micros,
  ): Promise<{ readonly revision: RouteRevision; readonly until: Micros | null } | null> {
    const builder = this.#db.queries<ServingTables>();
    const own = builder.selectFrom('serving_revisions').where('endpoint', '=', endpoint);
    // Several may be published at one time of a replay clock: the last of them stayed.
    const newest = own.selectAll().where('now', '<=', now).orderBy('revision', 'desc').limit(1);
    const [row] = await this.#db.read(newest);
    if (row === undefined) return null;
    const next = own.select('now').where('revision', '=', row.revision + 1);
    const [taken] = await this.#db.read(next);
    return { revision: toRevision(row), until: taken?.now ?? null };
  }

  async requireRevision(endpoint: string, revision: number): Promise<RouteRevision> {
    const found = await this.findRevision(endpoint, revision);
    if (found !== null) return found;
    throw new AppError('REVISION_NOT_FOUND', `Endpoint ${endpoint} has no revision ${revision}.`, {
      hint: `See them with: millwright endpoints revisions ${endpoint}`,
    });
  }

  /** Revisions that route to the version, newest first. */
  async revisionsOfVersion(
    { model, version }: Pick<Arm, 'model' | 'version'>,
    limit: number,
  ): Promise<readonly RouteRevision[]> {
    const arm = JSON.stringify({ model, version }).slice(1, -1);
    const found = await this.#revisionsWith('arms', `${arm},`, limit);
    // A wildcard of LIKE is a letter like any other in a model's name.
    return found.filter(({ arms }) =>
      arms.some((one) => one.model === model && one.version === version),
    );
  }

  /** Revisions that join features of the definition, newest first. */
  async revisionsOfDefinition(hash: string, limit: number): Promise<readonly RouteRevision[]> {
    const text = JSON.stringify({ definition: hash }).slice(1, -1);
    const found = await this.#revisionsWith('features', text, limit);
    return found.filter(({ features }) => features?.definition === hash);
  }

  async #revisionsWith(
    column: 'arms' | 'features',
    text: string,
    limit: number,
  ): Promise<readonly RouteRevision[]> {
    const query = this.#db
      .queries<ServingTables>()
      .selectFrom('serving_revisions')
      .selectAll()
      .where(column, 'like', `%${text}%`)
      .orderBy('wall', 'desc')
      .limit(limit);
    return (await this.#db.read(query)).map(toRevision);
  }

  /** By name. */
  async endpointsOfService(service: string, limit: number): Promise<readonly StoredEndpoint[]> {
    const query = this.#db
      .queries<ServingTables>()
      .selectFrom('serving_endpoints')
      .selectAll()
      .where('service', '=', service)
      .orderBy('name')
      .limit(limit);
    return (await this.#db.read(query)).map(toEndpoint);
  }

  /** Feature services that endpoints name, or join to requests as they are routed now. */
  async servicesInUse(): Promise<readonly ServiceInUse[]> {
    const query = this.#db
      .queries<ServingTables>()
      .selectFrom('serving_endpoints as e')
      .leftJoin('serving_revisions as r', (join) =>
        join.onRef('r.endpoint', '=', 'e.name').onRef('r.revision', '=', 'e.current_revision'),
      )
      .select(['e.name', 'e.service', 'r.features'])
      .orderBy('e.name');
    return (await this.#db.read(query)).map(({ name, service, features }) => {
      const routed = features === null ? null : (JSON.parse(features) as { service: string });
      return { endpoint: name, named: service, routed: routed?.service ?? null };
    });
  }

  /** Oldest first, those after `after`. */
  async revisionsAfter(
    endpoint: string,
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly RouteRevision[]> {
    const query = this.#db
      .queries<ServingTables>()
      .selectFrom('serving_revisions')
      .selectAll()
      .where('endpoint', '=', endpoint)
      .where('revision', '>', page.after)
      .orderBy('revision')
      .limit(page.limit);
    return (await this.#db.read(query)).map(toRevision);
  }

  /** Newest first, those before `before`. */
  async listRevisions(
    endpoint: string,
    page: { readonly before: number | null; readonly limit: number },
  ): Promise<readonly RouteRevision[]> {
    let query = this.#db
      .queries<ServingTables>()
      .selectFrom('serving_revisions')
      .selectAll()
      .where('endpoint', '=', endpoint)
      .orderBy('revision', 'desc')
      .limit(page.limit);
    if (page.before !== null) query = query.where('revision', '<', page.before);
    return (await this.#db.read(query)).map(toRevision);
  }
}

function toEndpoint(row: EndpointsRow): StoredEndpoint {
  const { name, model, key, sticky, durability, service } = row;
  return {
    name,
    model,
    key,
    sticky,
    durability,
    service,
    rollout: row.rollout === null ? null : (JSON.parse(row.rollout) as Rollout),
    createdAt: row.created_at,
    currentRevision: row.current_revision,
  };
}

function toRevision(row: RevisionsRow): RouteRevision {
  return {
    id: row.id,
    endpoint: row.endpoint,
    revision: row.revision,
    arms: JSON.parse(row.arms) as Arm[],
    salt: row.salt,
    actor: row.actor,
    reason: row.reason,
    restores: row.restores,
    isDrill: row.drill === 1,
    features:
      row.features === null ? null : (JSON.parse(row.features) as RouteRevision['features']),
    evidence: row.evidence === null ? [] : (JSON.parse(row.evidence) as DeploymentCheck[]),
    now: formatInstant(row.now),
    wall: formatInstant(row.wall),
    hash: row.hash,
  };
}
