import { writeSync } from 'node:fs';
import { present } from '../../src/base/assert.ts';
import { micros } from '../../src/base/time.ts';
import { faultsFromEnv } from '../../src/platform/fault-points.ts';
import { processEnv } from '../../src/platform/system.ts';
import { DAY, decisionLog, LAST_DAY, openLoopWorld } from './loop-world.ts';

/** Lives sixty days with a loop, from wherever the folder stands, and tells what was decided. */

const folder = present(process.argv[2], 'the folder');
const world = await openLoopWorld(folder, faultsFromEnv(processEnv['MILLWRIGHT_FAULT']));
await world.advance(micros(LAST_DAY * DAY));
const { champion, revisions, runs, exclusions } = world.world.outside;
const end = { champion, revisions, runs: runs.length, exclusions: exclusions.length };
writeSync(1, JSON.stringify({ log: await decisionLog(world), end }));
await world.close();
process.exit(0);
