import type { ErrorComponentProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ErrorState } from './kit/error-state.tsx';
import { PageHeader } from './kit/page-header.tsx';

/** What a page shows whose code threw: the rest of the UI goes on working. */
export function PageFailed({ error, reset }: ErrorComponentProps): ReactNode {
  return (
    <>
      <PageHeader title="This page failed" />
      <ErrorState error={error} retry={reset} />
    </>
  );
}
