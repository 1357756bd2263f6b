import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import type { AppError } from '../../base/errors.ts';
import type { AnyRoute, RouteInput, RouteReply } from '../../base/route.ts';
import { call } from './client.ts';

/**
 * A change that a person asks for; when it is made, everything shown is read again. `onDone` is
 * called even when what asked is no longer shown by then.
 */
export function useChange<R extends AnyRoute>(
  route: R,
  onDone?: () => void,
): UseMutationResult<RouteReply<R>, AppError, RouteInput<R>> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: RouteInput<R>) => call(route, input),
    onSuccess: () => {
      onDone?.();
      void client.invalidateQueries();
    },
  });
}
