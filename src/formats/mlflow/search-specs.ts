import type { SearchSpec } from './filter.ts';

/** What each of MLflow's searches may filter and sort by. */

export const RUNS: SearchSpec = {
  entities: ['metric', 'param', 'tag', 'attribute', 'dataset'],
  attributes: {
    run_id: 'text',
    run_name: 'text',
    experiment_id: 'text',
    status: 'text',
    user_id: 'text',
    artifact_uri: 'text',
    start_time: 'number',
    end_time: 'number',
  },
  aliases: {
    created: 'start_time',
    Created: 'start_time',
    'run name': 'run_name',
    'Run name': 'run_name',
    'Run Name': 'run_name',
  },
  lists: ['run_id'],
};

export const RUNS_ORDER: SearchSpec = {
  ...RUNS,
  entities: ['metric', 'param', 'tag', 'attribute'],
};

export const EXPERIMENTS: SearchSpec = {
  entities: ['tag', 'attribute'],
  attributes: { name: 'text', creation_time: 'number', last_update_time: 'number' },
};

export const EXPERIMENTS_ORDER: SearchSpec = {
  entities: ['attribute'],
  attributes: { ...EXPERIMENTS.attributes, experiment_id: 'number' },
};

export const LOGGED_MODELS: SearchSpec = {
  entities: ['metric', 'param', 'tag', 'attribute'],
  attributes: {
    name: 'text',
    model_id: 'text',
    model_type: 'text',
    status: 'text',
    source_run_id: 'text',
    creation_timestamp: 'number',
    last_updated_timestamp: 'number',
  },
  aliases: {
    creation_time: 'creation_timestamp',
    creation_timestamp_ms: 'creation_timestamp',
    last_updated_time: 'last_updated_timestamp',
    last_updated_timestamp_ms: 'last_updated_timestamp',
  },
};

export const REGISTERED_MODELS: SearchSpec = {
  entities: ['tag', 'attribute'],
  attributes: { name: 'text' },
  lists: [],
};

export const REGISTERED_MODELS_ORDER: SearchSpec = {
  entities: ['attribute'],
  attributes: { name: 'text', last_updated_timestamp: 'number' },
  aliases: { timestamp: 'last_updated_timestamp' },
};

export const MODEL_VERSIONS: SearchSpec = {
  entities: ['tag', 'attribute'],
  attributes: { name: 'text', run_id: 'text', source_path: 'text', version_number: 'number' },
  lists: ['run_id'],
};

export const MODEL_VERSIONS_ORDER: SearchSpec = {
  entities: ['attribute'],
  attributes: {
    name: 'text',
    version_number: 'number',
    creation_timestamp: 'number',
    last_updated_timestamp: 'number',
  },
};
