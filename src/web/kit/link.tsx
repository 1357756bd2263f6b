import { Anchor, type AnchorProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { ComponentPropsWithRef, ReactNode } from 'react';

type AnchorLinkProps = AnchorProps & Omit<ComponentPropsWithRef<'a'>, keyof AnchorProps>;

function AnchorLink(props: AnchorLinkProps): ReactNode {
  return <Anchor inherit {...props} />;
}

/** A text link to another page: typed like the router's `Link`, looking like Mantine's `Anchor`. */
export const PageLink = createLink(AnchorLink);
