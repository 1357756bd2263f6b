import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
} from '@tanstack/react-router';
import { z } from 'zod';
import { EndpointName } from '../capabilities/predictions/contract.ts';
import { NoSuchPage } from './no-such-page.tsx';
import { PageFailed } from './page-failed.tsx';
import { Shell } from './shell.tsx';

/** A search parameter that is not what it should be is as good as absent. */
function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.optional().catch(undefined);
}

const root = createRootRoute({ component: Shell, notFoundComponent: NoSuchPage });

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: z.object({
    /** Draws this endpoint's traffic alone. */
    endpoint: optional(EndpointName),
    /** Lists the events of this subject alone. */
    subject: optional(z.string().max(300)),
  }),
  component: lazyRouteComponent(
    () => import('../capabilities/workspace/ui/overview-page.tsx'),
    'OverviewPage',
  ),
});

const trace = createRoute({
  getParentRoute: () => root,
  path: '/trace',
  validateSearch: z.object({ endpoint: optional(EndpointName) }),
  component: lazyRouteComponent(
    () => import('../capabilities/serving/ui/trace-page.tsx'),
    'TracePage',
  ),
});

const tracedRequest = createRoute({
  getParentRoute: () => root,
  path: '/trace/$requestId',
  component: lazyRouteComponent(
    () => import('../capabilities/serving/ui/request-page.tsx'),
    'RequestPage',
  ),
});

export const router = createRouter({
  routeTree: root.addChildren([overview, trace, tracedRequest]),
  defaultPreload: 'intent',
  defaultErrorComponent: PageFailed,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
