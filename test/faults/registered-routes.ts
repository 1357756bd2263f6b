import type { FastifyInstance } from 'fastify';

/** One route that the server really has, whoever mounted it. */
export interface RegisteredRoute {
  readonly method: string;
  /** With `:name` and `*` as they were mounted. */
  readonly path: string;
}

/** Four columns a level, then the rest of the path that begins above, then its methods. */
const LINE = /^((?:[│ ] {3})*)[├└]── (.*) \(([A-Z, ]+)\)$/;

/** Every route of the server's router, read off the tree that it prints of itself. */
export function registeredRoutes(http: FastifyInstance): readonly RegisteredRoute[] {
  const tree = http.printRoutes({ commonPrefix: false, includeHooks: false });
  const above: string[] = [];
  return tree
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap((line) => {
      const [, indent, part, methods] = LINE.exec(line) ?? [];
      if (indent === undefined || part === undefined || methods === undefined) {
        throw new Error(`not a line of the routes: ${line}`);
      }
      const level = indent.length / 4;
      const parent = level === 0 ? '' : above[level - 1]!;
      // The tree leaves out the slash between what ends with none and a wildcard.
      const path = part === '*' && !parent.endsWith('/') ? `${parent}/*` : `${parent}${part}`;
      above[level] = path;
      return methods.split(', ').map((method) => ({ method, path }));
    });
}

/** The path with something in the place of each parameter. */
export function filled(path: string, value: (name: string) => string = () => 'x1'): string {
  return path.replaceAll(/:(\w+)|\*/g, (_, name: string | undefined) => value(name ?? '*'));
}
