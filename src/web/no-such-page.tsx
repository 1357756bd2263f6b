import { Button, EmptyState } from '@mantine/core';
import { IconMapQuestion } from '@tabler/icons-react';
import { Link, useLocation } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { PageHeader } from './kit/page-header.tsx';

export function NoSuchPage(): ReactNode {
  const { pathname } = useLocation();
  return (
    <>
      <PageHeader title="No such page" />
      <EmptyState
        icon={<IconMapQuestion aria-hidden />}
        title={`There is no page at ${pathname}`}
        description="The pages that exist are in the list on the left."
      >
        <EmptyState.Actions>
          <Button component={Link} to="/" size="xs">
            Overview
          </Button>
        </EmptyState.Actions>
      </EmptyState>
    </>
  );
}
