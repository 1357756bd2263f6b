import type { FastifyInstance } from 'fastify';

/** One route that the server really has, whoever mounted it. */
export interface RegisteredRoute {
  readonly method: string;
  /** With `:name` and `*` as they were mounted. */
  readonly path: string;
}

/** Four columns a level, then what follows the beginning above, then methods if a route ends. */
const LINE = /^((?:[│ ] {3})*)[├└]── (.*?)(?: \(([A-Z, ]+)\))?$/;

/**
 * Every route of the server's router, read off the tree that it prints of itself: letter by letter,
 * since its shorter form leaves wildcards out.
 */
export function registeredRoutes(http: FastifyInstance): readonly RegisteredRoute[] {
  const above: string[] = [];
  return http
    .printRoutes({ includeHooks: false })
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap((line) => {
      const [, indent, part, methods] = LINE.exec(line) ?? [];
      if (indent === undefined || part === undefined) {
        throw new Error(`not a line of the routes: ${line}`);
      }
      const level = indent.length / 4;
      const path = `${level === 0 ? '' : above[level - 1]}${part}`;
      above[level] = path;
      return methods === undefined ? [] : methods.split(', ').map((method) => ({ method, path }));
    });
}

/** The path with something in the place of each parameter. */
export function filled(path: string, value: (name: string) => string = () => 'x1'): string {
  return path.replaceAll(/:(\w+)|\*/g, (_, name: string | undefined) => value(name ?? '*'));
}
