import type { TestProject } from 'vitest/node';
import { createServerFolder, stopServer } from './postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the run's PostgreSQL lives once a suite has asked for it. */
    postgresFolder: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await createServerFolder();
  project.provide('postgresFolder', folder);
  return () => stopServer(folder);
}
