import { useWindowEvent } from '@mantine/hooks';
import { useRef } from 'react';
import type { Page } from './pages.ts';

/** The second key of `g o` must follow the first within this time. */
const SEQUENCE_MS = 1500;

/** `g` and a page's key, `/` for the page's search box, `?` for help; never while typing. */
export function useGoKeys(
  pages: readonly Page[],
  go: (to: Page['to']) => void,
  help: () => void,
): void {
  const goPressedAt = useRef(Number.NEGATIVE_INFINITY);
  useWindowEvent('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const follows = event.timeStamp - goPressedAt.current < SEQUENCE_MS;
    goPressedAt.current = event.key === 'g' ? event.timeStamp : Number.NEGATIVE_INFINITY;
    if (event.key === '?') help();
    const page = follows ? pages.find(({ key }) => key === event.key) : undefined;
    if (page !== undefined) go(page.to);
    if (event.key === '/') {
      const box = document.querySelector<HTMLInputElement>('main [data-search]');
      // Otherwise the slash itself would be typed into the box.
      if (box !== null) event.preventDefault();
      box?.focus();
    }
  });
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  );
}
