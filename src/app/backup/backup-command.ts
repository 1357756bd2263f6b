import type { Command } from 'commander';
import type { Api, CliContext } from '../../platform/cli/context.ts';
import type { Config } from '../../platform/config/config.ts';
import { systemClock } from '../../platform/system.ts';
import { freePlace, makeBackup, type BackupResult } from './make-backup.ts';
import { verifyBackup, type Verification } from './verify-backup.ts';

/** A backup that takes longer says how far it is, and again after each such time. */
const TELL_EVERY_MS = 5000;
const NAMES_SHOWN = 20;

export function addBackup(
  program: Command,
  on: { readonly cli: CliContext; readonly config: (flags: object) => Config },
): void {
  const { cli } = on;
  const backup = program
    .command('backup')
    .description('copy the state folder as it is at this moment, while the server runs or not')
    .argument('<folder>', 'a folder that is not there yet')
    .action(async (folder: string) => {
      const state = on.config({}).stateFolder;
      // Before this process becomes the owner, which would make a workspace.
      const to = await freePlace(folder, state);
      const tell = teller();
      const made = await cli.withApi((api: Api) =>
        makeBackup(api, {
          state,
          to,
          onFile: ({ files, bytes }) =>
            tell(() => cli.out.line(`  ${files} files, ${sized(bytes)} ...`)),
        }),
      );
      cli.out.result(made, () => {
        printMade(made, cli);
      });
    });
  backup
    .command('verify')
    .description('read a backup and compare every file with its checksum')
    .argument('<folder>', 'the backup')
    .action(async (folder: string) => {
      const tell = teller();
      const found = await verifyBackup(folder, (files) => {
        tell(() => cli.out.line(`  ${files} files ...`));
      });
      cli.out.result(found, () => {
        printVerified(found, cli);
      });
      if (found.missing.length + found.changed.length > 0) cli.endWith(1);
    });
}

function printMade(made: BackupResult, { out }: CliContext): void {
  const shared = made.linkedBytes === 0 ? '' : `, ${sized(made.linkedBytes)} of them as hard links`;
  out.line(`${made.folder}   of ${made.takenAt}`);
  out.line(`  ${made.files} files, ${sized(made.bytes)}${shared}; ${made.tables} tables`);
  out.line(`  in ${made.seconds.toFixed(1)} s; left out and made again: ${leftOut(made)}`);
  out.line(`check it with: millwright backup verify ${made.folder}`);
}

function leftOut({ leftOut: folders }: BackupResult): string {
  return Object.keys(folders).join(', ');
}

function printVerified(found: Verification, { out }: CliContext): void {
  const { folder, files, missing, changed, wasUsed } = found;
  const bad = [
    ...missing.map((name) => `missing  ${name}`),
    ...changed.map((name) => `changed  ${name}`),
  ];
  for (const line of bad.slice(0, NAMES_SHOWN)) out.line(line);
  if (bad.length > NAMES_SHOWN) out.line(`and ${bad.length - NAMES_SHOWN} more`);
  if (wasUsed) out.line('A server has run in this folder: copy a backup before you start it.');
  const verdict = bad.length === 0 ? 'all as they were' : `${bad.length} are not as they were`;
  out.line(`${folder}   of ${found.takenAt}: ${files} files, ${verdict}`);
}

/** Calls what it is given when that is due. */
function teller(): (tell: () => void) => void {
  let last = systemClock.elapsed();
  return (tell) => {
    if (systemClock.elapsed() - last < TELL_EVERY_MS) return;
    last = systemClock.elapsed();
    tell();
  };
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

function sized(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${UNITS[power]!}`;
}
