import type { Command } from 'commander';
import { AppError, toAppError } from '../../base/errors.ts';
import { systemClock } from '../../platform/system.ts';
import type { Config } from '../../platform/config/config.ts';
import type { FolderCommandsOn } from '../folder-commands.ts';
import { findProject } from '../init/find-project.ts';
import {
  diagnoseDisk,
  diagnoseDvc,
  diagnoseGit,
  diagnoseLinks,
  diagnoseModules,
  diagnoseNode,
  diagnosePort,
  diagnosePython,
} from './diagnose-machine.ts';
import {
  diagnoseClock,
  diagnoseDeclaration,
  diagnoseFormat,
  diagnoseOwner,
  diagnoseServer,
} from './diagnose-workspace.ts';
import { ill, type Diagnosis } from './diagnosis.ts';

const SIGNS = { ok: '✔', warn: '!', fail: '✗' } as const;

/** `millwright doctor`: looks at everything, changes nothing, and starts nothing. */
export function addDoctor(program: Command, on: FolderCommandsOn): void {
  const { cli } = on;
  program
    .command('doctor')
    .description(
      'what is wrong with this machine or workspace, and the cure; exit 1 when something is',
    )
    .action(async () => {
      const diagnoses = await diagnose(on);
      cli.out.result({ diagnoses }, () => {
        print(diagnoses, on);
      });
      if (diagnoses.some(({ state }) => state === 'fail')) cli.endWith(1);
    });
}

async function diagnose(on: FolderCommandsOn): Promise<readonly Diagnosis[]> {
  const found = await findProject(process.cwd());
  const machine = [
    diagnoseNode(process.version),
    ...(await diagnoseModules()),
    await diagnosePython(found.lock !== null || (found.stages ?? []).length > 0),
    await diagnoseGit(found.hasGit),
    await diagnoseDvc(),
    ...(found.stagesError === null ? [] : [brokenStages(found.stagesError)]),
  ];
  let config: Config;
  try {
    config = on.config({});
  } catch (thrown) {
    const { message, hint = 'Mend it at the place named.' } = toAppError(thrown);
    return [...machine, ill('millwright.yaml', 'fail', { found: message, cure: hint })];
  }
  return [...machine, diagnoseDeclaration(on.cli), ...(await diagnoseWorkspace(config, on))];
}

function brokenStages(found: string): Diagnosis {
  return ill('dvc.yaml', 'fail', { found, cure: 'Mend it at the place named.' });
}

async function diagnoseWorkspace(
  { stateFolder, host, port }: Config,
  on: FolderCommandsOn,
): Promise<readonly Diagnosis[]> {
  const running = await on.findRunning();
  const isRunning = running !== null;
  const api = running instanceof AppError ? null : running;
  const found = [
    diagnoseFormat(stateFolder),
    await diagnoseDisk(stateFolder),
    diagnoseLinks(stateFolder),
    diagnoseOwner(stateFolder, isRunning),
    await diagnoseClock(stateFolder, { clock: systemClock, api }),
  ];
  if (running === null) return [...found, await diagnosePort(host, port)];
  if (api !== null) return [...found, ...(await diagnoseServer(api))];
  const { message, hint = 'Set MILLWRIGHT_TOKEN.' } = toAppError(running);
  return [...found, ill('server', 'warn', { found: message, cure: hint })];
}

function print(diagnoses: readonly Diagnosis[], { cli }: FolderCommandsOn): void {
  const width = Math.max(...diagnoses.map(({ name }) => name.length));
  for (const { name, state, found, cure } of diagnoses) {
    cli.out.line(`${SIGNS[state]} ${name.padEnd(width)}  ${found}`);
    if (cure !== null) cli.out.line(`  ${' '.repeat(width)}  → ${cure}`);
  }
  const failed = diagnoses.filter(({ state }) => state === 'fail').length;
  cli.out.line(
    failed === 0 ? 'nothing must be mended' : `${failed} of ${diagnoses.length} must be mended`,
  );
}
