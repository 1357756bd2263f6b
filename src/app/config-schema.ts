import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { Definitions } from '../capabilities/features/definitions.ts';
import { LoopsSection } from '../capabilities/loop/plan.ts';
import { MonitorsSection } from '../capabilities/monitoring/plan.ts';
import { EndpointsSection } from '../capabilities/serving/plan.ts';
import { ConfigFile } from '../platform/config/config.ts';

/** Beside the workspace's data, where `# yaml-language-server: $schema=` can name it. */
const FILE = 'millwright.schema.json';

/**
 * JSON Schema (2020-12) of `millwright.yaml`, out of the schemas that parse it: editors complete
 * and check with it. What concerns several places at once, only `millwright plan` can say.
 */
export function configSchema(): Readonly<Record<string, unknown>> {
  const whole = ConfigFile.extend({
    ...Definitions.partial().shape,
    endpoints: EndpointsSection.optional(),
    monitors: MonitorsSection.optional(),
    loops: LoopsSection.optional(),
  });
  const schema = z.toJSONSchema(whole, { io: 'input', unrepresentable: 'any', reused: 'ref' });
  return { title: 'millwright.yaml', ...schema };
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
