import path from 'node:path';
import { AppError } from '../../base/errors.ts';
import { nearestName } from '../../base/nearest-name.ts';
import type { PipelinesSection } from '../../platform/config/config.ts';
import { parseConfigFile } from '../../platform/config/load-config.ts';
import type { Project } from './project.ts';

/** A stage that was given no time ends after this: longer than any training on one machine. */
const TIMEOUT_MS_DEFAULT = 24 * 3600 * 1000;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export interface StageSettings {
  readonly timeoutMs: number;
  readonly retries: number;
}

/** What `millwright.yaml` says of pipelines, read at the time of the run. */
export class PipelineSettings {
  readonly #section: PipelinesSection;
  readonly #root: string;

  private constructor(section: PipelinesSection, root: string) {
    this.#section = section;
    this.#root = root;
  }

  /** Rejects with `INVALID_CONFIG` for settings of a stage that is none. */
  static async read(project: Project, stages: readonly string[]): Promise<PipelineSettings> {
    const text = await project.readText('millwright.yaml');
    const file = text === null ? null : parseConfigFile(text, 'millwright.yaml');
    const section = file?.pipelines ?? {};
    for (const name of Object.keys(section.stages ?? {})) {
      if (stages.some((stage) => stage === name || groupOf(stage) === name)) continue;
      const near = nearestName(name, stages);
      throw new AppError(
        'INVALID_CONFIG',
        `millwright.yaml: pipelines.stages.${name}: dvc.yaml has no such stage.`,
        near === null ? {} : { hint: `Did you mean ${near}?` },
      );
    }
    return new PipelineSettings(section, project.root);
  }

  /** The lock of the stages' environment as an absolute path; null without one. */
  get requirements(): string | null {
    const { python } = this.#section;
    if (python === undefined) return null;
    const file = path.resolve(this.#root, python.requirements);
    if (file.startsWith(`${this.#root}${path.sep}`)) return file;
    throw new AppError(
      'INVALID_CONFIG',
      `millwright.yaml: pipelines.python.requirements: ${python.requirements} lies outside the project.`,
      { hint: 'Keep the lock in the project, under version control.' },
    );
  }

  get interpreter(): string {
    return this.#section.python?.interpreter ?? 'python3';
  }

  /** Of one stage; those that foreach or matrix made share the settings of their group. */
  of(stage: string): StageSettings {
    const { timeout, retries, stages = {} } = this.#section;
    const own = stages[stage] ?? stages[groupOf(stage)] ?? {};
    const text = own.timeout ?? timeout;
    return {
      timeoutMs: text === undefined ? TIMEOUT_MS_DEFAULT : durationMs(text),
      retries: own.retries ?? retries ?? 0,
    };
  }
}

function groupOf(stage: string): string {
  return stage.split('@')[0] ?? stage;
}

function durationMs(text: string): number {
  return Number(text.slice(0, -1)) * (UNIT_MS[text.at(-1) ?? ''] ?? 0);
}
