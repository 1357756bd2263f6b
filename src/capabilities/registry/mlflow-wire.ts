import { z } from 'zod';
import { MICROS_PER_MS } from '../../base/time.ts';
import { invalid, missing } from '../../formats/mlflow/names.ts';
import { Text } from '../../formats/mlflow/scalars.ts';
import type { CatalogModel } from './catalog-store.ts';
import { STAGES, type Stage } from './catalog.ts';
import type { LabelledVersion } from './store.ts';

/** Rows of the registry as MLflow's messages, and the parts its messages share. */

export const Named = z.object({ name: Text });
/** Versions are whole numbers, as text. */
export const Versioned = Named.extend({ version: Text });

export function versionOf({ version }: { readonly version: string }): number {
  if (version === '') throw missing('version');
  if (/^\d{1,15}$/.test(version)) return Number(version);
  throw invalid(`Parameter 'version' must be an integer, got '${version.slice(0, 100)}'.`);
}

export function stageOf(text: string): Stage {
  const stage = STAGES.find((one) => one.toLowerCase() === text.toLowerCase());
  if (stage !== undefined) return stage;
  throw invalid(
    `Invalid Model Version stage: ${text.slice(0, 100)}. Value must be one of ${STAGES.join(', ')}.`,
  );
}

export function writeModel(model: CatalogModel, latest: readonly LabelledVersion[]): object {
  return {
    name: model.name,
    creation_timestamp: ms(model.created_at),
    last_updated_timestamp: ms(model.updated_at),
    ...(model.description === '' ? {} : { description: model.description }),
    ...some('latest_versions', latest.map(writeVersion)),
    ...some('tags', model.tags),
    ...some(
      'aliases',
      model.aliases.map(({ alias, version }) => ({ alias, version: String(version) })),
    ),
  };
}

export function writeVersion(version: LabelledVersion): object {
  return {
    name: version.model,
    version: String(version.version),
    creation_timestamp: ms(version.created_at),
    last_updated_timestamp: ms(version.updated_at || version.created_at),
    user_id: version.created_by,
    current_stage: version.stage,
    description: version.description,
    source: version.source,
    run_id: version.run_id?.slice('run_'.length) ?? '',
    status: 'READY',
    ...(version.run_link === null ? {} : { run_link: version.run_link }),
    ...(version.logged_model === null ? {} : { model_id: version.logged_model }),
    ...some('tags', version.tags),
    ...some('aliases', version.aliases),
  };
}

/** `{name: items}`, or nothing when there are none. */
export function some<Item>(name: string, items: readonly Item[]): Record<string, readonly Item[]> {
  return items.length === 0 ? {} : { [name]: items };
}

function ms(instant: number): number {
  return Math.floor(instant / MICROS_PER_MS);
}
