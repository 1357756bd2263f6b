import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { present } from '../base/assert.ts';
import { Definitions } from '../capabilities/features/definitions.ts';
import { LoopsSection } from '../capabilities/loop/plan.ts';
import { MonitorsSection } from '../capabilities/monitoring/plan.ts';
import { EndpointsSection } from '../capabilities/serving/plan.ts';
import { ConfigFile } from '../platform/config/config.ts';

/** Beside the workspace's data, where `# yaml-language-server: $schema=` can name it. */
const FILE = 'millwright.schema.json';

/** What an editor tells of a section; the reference has the rest. */
const TOLD: Readonly<Record<string, string>> = {
  version: 'Version of this file’s form.',
  name: 'Name of the workspace.',
  server: 'Where the server listens.',
  database: 'PostgreSQL instead of the SQLite file in the state folder.',
  journal: 'Room for answered requests that are not in tables yet.',
  log: 'What the server logs.',
  webhooks: 'Where events and alerts are sent.',
  pipelines: 'How the stages of dvc.yaml run: millwright run.',
  sources: 'Tables with a row for each thing that happened.',
  entities: 'What features are about, by its keys.',
  views: 'Aggregates over windows of time, for an entity.',
  services: 'What a model sees, in training and when it is asked.',
  labels: 'What came of a request, and when it is known.',
  training_sets: 'Rows to train on, each as it was known at its time.',
  endpoints: 'Where a model answers.',
  monitors: 'What is watched of an endpoint, by the endpoint’s name.',
  loops: 'What starts a retrain, and what a new version has to stand.',
};

const DECLARED = {
  ...Definitions.partial().shape,
  endpoints: EndpointsSection.optional(),
  monitors: MonitorsSection.optional(),
  loops: LoopsSection.optional(),
};
const WHOLE_FILE = ConfigFile.extend(DECLARED);
const SECTIONS_ONLY = z.strictObject(DECLARED);

/** Parses what a file declares, each section by itself. */
export function parseSections(sections: Readonly<Record<string, unknown>>) {
  return SECTIONS_ONLY.safeParse(sections);
}

/**
 * JSON Schema (2020-12) of `millwright.yaml`, out of the schemas that parse it: editors complete
 * and check with it. What concerns several places at once, only `millwright plan` can say.
 */
export function configSchema(): Readonly<Record<string, unknown>> {
  const { properties, ...schema } = z.toJSONSchema(WHOLE_FILE, {
    io: 'input',
    unrepresentable: 'any',
  });
  const described = Object.entries(properties ?? {}).map(([name, of]) => {
    const description = present(TOLD[name], `a description of ${name}`);
    return [name, { description, ...(of as object) }];
  });
  return { title: 'millwright.yaml', ...schema, properties: Object.fromEntries(described) };
}

export function configSchemaText(): string {
  return `${JSON.stringify(configSchema(), null, 2)}\n`;
}

/** Writes it into a state folder, when it is not there as it is now; returns its path. */
export async function writeSchema(stateFolder: string): Promise<string> {
  const file = path.join(stateFolder, FILE);
  const text = configSchemaText();
  if ((await readFile(file, 'utf8').catch(() => null)) === text) return file;
  await mkdir(stateFolder, { recursive: true });
  await writeFile(`${file}.tmp`, text);
  await rename(`${file}.tmp`, file);
  return file;
}
