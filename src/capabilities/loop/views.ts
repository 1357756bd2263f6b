import { formatInstant } from '../../base/time.ts';
import type { Decision, Instance } from './contract.ts';
import type { DecisionsRow, StoredInstance } from './stored.ts';

export function toDecision(row: DecisionsRow): Decision {
  return {
    ...row,
    at: formatInstant(row.at),
    wall: formatInstant(row.wall),
    inputs: JSON.parse(row.inputs) as Decision['inputs'],
  };
}

export function toInstanceView(instance: StoredInstance): Instance {
  const { id, loop, state, actor, model, champion, challenger, course } = instance;
  const { stage, pipelineRun, evaluation, deployed } = course;
  return {
    id,
    loop,
    state,
    causes: [...instance.causes],
    actor,
    startedAt: formatInstant(instance.startedAt),
    endedAt: instance.endedAt === null ? null : formatInstant(instance.endedAt),
    model,
    champion,
    challenger,
    pipeline: stage,
    pipelineRun,
    evaluation: {
      from: formatInstant(evaluation.from),
      until: formatInstant(evaluation.until),
    },
    deployedAt: deployed === null ? null : formatInstant(deployed.at),
    waitsFor: course.waitsFor,
    nextLook: instance.endedAt === null ? formatInstant(course.nextLook) : null,
  };
}
