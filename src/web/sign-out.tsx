import { ActionIcon, Tooltip } from '@mantine/core';
import { IconLogout } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { signOut, useSession } from './kit/session.ts';

/** Ends the session of this browser; nothing where none was begun. */
export function SignOut(): ReactNode {
  if (useSession() !== 'signed-in') return null;
  return (
    <Tooltip label="Sign out: this browser forgets its session">
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label="Sign out"
        onClick={() => void signOut()}
      >
        <IconLogout size={17} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  );
}
