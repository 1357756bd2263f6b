import { AppError } from '../../base/errors.ts';
import { nearestName } from '../../base/nearest-name.ts';
import { outputFault, overlap, projectPath, type Stage } from './stage.ts';

/** Stages and who needs whom, checked: one maker for each path, no cycle, nothing outside. */
export class StageGraph {
  readonly stages: ReadonlyMap<string, Stage>;
  readonly #needs = new Map<string, readonly string[]>();

  /** Rejects with `INVALID_PIPELINE`. `kept` are project paths that no stage may write to. */
  constructor(stages: readonly Stage[], kept: readonly string[] = []) {
    this.stages = new Map(stages.map((stage) => [stage.name, stage]));
    if (this.stages.size < stages.length) {
      throw fault('two stages have the same name', 'Generated names count as well.');
    }
    const outs = stages.flatMap((stage) =>
      stage.outs.map(({ path }) => ({ stage: stage.name, path: outputPath(stage, path, kept) })),
    );
    refuseOverlaps(outs);
    for (const stage of stages) {
      const read = [...stage.deps, ...stage.params.map(({ file }) => file)].map((path) =>
        inside(stage, path),
      );
      const makers = outs.filter((out) => read.some((path) => overlap(path, out.path)));
      const own = makers.find((out) => out.stage === stage.name);
      if (own !== undefined) throw fault(`${stage.name} depends on its own output ${own.path}`);
      this.#needs.set(stage.name, [...new Set(makers.map((out) => out.stage))]);
    }
    // A cycle anywhere is refused, wanted or not, as DVC does.
    this.order([]);
  }

  /** The stages that the targets need, themselves included, each after what it needs. */
  order(targets: readonly string[]): readonly Stage[] {
    const ordered: Stage[] = [];
    const state = new Map<string, 'open' | 'done'>();
    const visit = (name: string, path: readonly string[]): void => {
      if (state.get(name) === 'done') return;
      if (state.get(name) === 'open') {
        throw fault(`stages need each other: ${[...path, name].join(' -> ')}`);
      }
      state.set(name, 'open');
      const stage = this.stages.get(name)!;
      // A frozen stage does not look at what it was made from.
      const needs = stage.isFrozen ? [] : (this.#needs.get(name) ?? []);
      for (const need of needs) visit(need, [...path, name]);
      state.set(name, 'done');
      ordered.push(stage);
    };
    for (const name of this.#wanted(targets)) visit(name, []);
    return ordered;
  }

  needs(name: string): readonly string[] {
    return this.#needs.get(name) ?? [];
  }

  /** A target is a stage, or the stage that foreach or matrix made many of. */
  #wanted(targets: readonly string[]): readonly string[] {
    const names = [...this.stages.keys()];
    if (targets.length === 0) return names;
    return targets.flatMap((target) => {
      if (this.stages.has(target)) return [target];
      const group = names.filter((name) => name.startsWith(`${target}@`));
      if (group.length > 0) return group;
      const near = nearestName(target, names);
      throw new AppError('STAGE_NOT_FOUND', `dvc.yaml has no stage ${target}.`, {
        hint: near === null ? `It has: ${names.slice(0, 20).join(', ')}` : `Did you mean ${near}?`,
      });
    });
  }
}

function inside(stage: Stage, path: string): string {
  if (path.includes('://') || path.startsWith('/')) {
    throw fault(`${stage.name}: ${path} lies outside the project, which is not supported`);
  }
  const found = projectPath(stage, path);
  if (found === null) {
    throw fault(`${stage.name}: ${path} lies outside the project, which is not supported`);
  }
  return found;
}

function outputPath(stage: Stage, path: string, kept: readonly string[]): string {
  const found = inside(stage, path);
  const why = outputFault(found, kept);
  if (why === null) return found;
  throw fault(
    `${stage.name}: nothing can be written to the out ${path}: ${why}`,
    'Give the stage an output of its own; nothing was run or removed.',
  );
}

function refuseOverlaps(outs: readonly { readonly stage: string; readonly path: string }[]): void {
  const makers = new Map<string, string>();
  const both = (a: string, b: string, path: string): AppError =>
    fault(`${a} and ${b} both write ${path}`, 'Give each stage outputs of its own.');
  for (const { stage, path } of outs) {
    const other = makers.get(path);
    if (other !== undefined) throw both(other, stage, path);
    makers.set(path, stage);
  }
  for (const { stage, path } of outs) {
    const parts = path.split('/');
    for (let length = parts.length - 1; length > 0; length -= 1) {
      const other = makers.get(parts.slice(0, length).join('/'));
      if (other !== undefined) throw both(other, stage, path);
    }
  }
}

function fault(message: string, hint?: string): AppError {
  return new AppError('INVALID_PIPELINE', `dvc.yaml: ${message}.`, {
    hint: hint ?? 'Mend dvc.yaml; nothing was run.',
  });
}
