import type { Migration } from '../migrator.ts';
import { platform } from './0001-platform.ts';

/** Every migration, in the order they apply. A published one is never edited. */
export const migrations: readonly Migration[] = [platform];
