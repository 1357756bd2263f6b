import { AppShell, Burger, Group, NavLink, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { getStatus, type Status } from '../capabilities/workspace/contract.ts';
import { ConnectionState } from './connection-state.tsx';
import mark from './favicon.svg';
import { useRoute } from './kit/use-route.ts';
import { KeyHelp } from './key-help.tsx';
import { pages } from './pages.ts';
import { ReplayBanner } from './replay-banner.tsx';
import { useSession } from './kit/session.ts';
import { SchemeToggle } from './scheme-toggle.tsx';
import classes from './shell.module.css';
import { SignIn } from './sign-in.tsx';
import { SignOut } from './sign-out.tsx';
import { useGoKeys } from './use-go-keys.ts';

const STATUS_POLL_MS = 5000;
const MAIN_ID = 'content';

/** What stands around every page. */
export function Shell(): ReactNode {
  const [isNavOpen, nav] = useDisclosure(false);
  const [isHelpOpen, help] = useDisclosure(false);
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const session = useSession();
  const status = useRoute(getStatus, {}, { subjects: ['workspace'], pollMs: STATUS_POLL_MS });
  useGoKeys(pages, (to) => void navigate({ to }), help.open);
  useEffect(() => {
    nav.close();
  }, [pathname]);

  return (
    <AppShell
      header={{ height: 48 }}
      navbar={{ width: 176, breakpoint: 'sm', collapsed: { mobile: !isNavOpen } }}
      padding="md"
    >
      <a
        href={`#${MAIN_ID}`}
        className={classes['skip']}
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to content
      </a>
      <AppShell.Header className={classes['header']}>
        <Burger
          opened={isNavOpen}
          onClick={nav.toggle}
          hiddenFrom="sm"
          size="sm"
          aria-label={isNavOpen ? 'Close the list of pages' : 'Open the list of pages'}
        />
        <WorkspaceName status={status.data} />
        <Group gap="xs" wrap="nowrap" ml="auto">
          {session !== 'refused' && <ConnectionState />}
          <SignOut />
          <SchemeToggle />
          <KeyHelp isOpen={isHelpOpen} open={help.open} close={help.close} />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" component="nav" aria-label="Pages">
        {pages.map(({ word, to, icon: Icon }) => (
          <NavLink
            key={to}
            component={Link}
            to={to}
            label={word}
            leftSection={<Icon size={17} stroke={1.6} aria-hidden />}
            active={to === '/' ? pathname === '/' : pathname.startsWith(to)}
            className={classes['link']}
          />
        ))}
        {status.data !== undefined && (
          <Text size="xs" c="dimmed" mt="auto" px="xs">
            {`Millwright ${status.data.version}`}
          </Text>
        )}
      </AppShell.Navbar>
      <AppShell.Main id={MAIN_ID} ref={main} tabIndex={-1} className={classes['main']}>
        {status.data?.clock === 'replay' && <ReplayBanner now={status.data.now} />}
        {session === 'refused' ? <SignIn /> : <Outlet />}
      </AppShell.Main>
    </AppShell>
  );
}

function WorkspaceName({ status }: { readonly status: Status | undefined }): ReactNode {
  return (
    <Group gap={8} wrap="nowrap" className={classes['name']}>
      <img src={mark} alt="" width={20} height={20} />
      <Text fw={600} size="md" visibleFrom="xs">
        Millwright
      </Text>
      {status !== undefined && (
        <>
          <Text c="dimmed" visibleFrom="xs" aria-hidden>
            /
          </Text>
          <Text truncate title={status.stateFolder}>
            {status.name}
          </Text>
        </>
      )}
    </Group>
  );
}
