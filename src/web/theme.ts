import {
  createTheme,
  EmptyState,
  Skeleton,
  Tooltip,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from '@mantine/core';

/** A quiet blue: the accent, and nothing but the accent. States have colours of their own. */
const MILL: MantineColorsTuple = [
  '#eff5fb',
  '#dce7f3',
  '#b7cee6',
  '#8fb3d9',
  '#6d9dcd',
  '#578ec6',
  '#4a86c3',
  '#3a73ad',
  '#2a639e',
  '#16548b',
];

/** Slate instead of Mantine's neutral grey; index 7 is the page, 6 a card, 4 a border. */
const SLATE: MantineColorsTuple = [
  '#d4dae1',
  '#b7c0ca',
  '#96a0ac',
  '#5b6571',
  '#363e48',
  '#2a3139',
  '#1d232a',
  '#161b22',
  '#10141a',
  '#0a0d11',
];

export const theme = createTheme({
  primaryColor: 'mill',
  primaryShade: { light: 8, dark: 7 },
  colors: { mill: MILL, dark: SLATE },
  defaultRadius: 'sm',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, "Liberation Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '1.25rem', lineHeight: '1.4' },
      h2: { fontSize: '0.9375rem', lineHeight: '1.4' },
      h3: { fontSize: '0.875rem', lineHeight: '1.4' },
    },
  },
  components: {
    EmptyState: EmptyState.extend({ defaultProps: { align: 'left', size: 'xs' } }),
    Skeleton: Skeleton.extend({ defaultProps: { animate: false } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 300, withArrow: true } }),
  },
});

/** Mantine's own dimmed text and light badges miss the 4.5:1 contrast of WCAG AA on white. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#5c6670',
    '--mantine-color-teal-light-color': '#06684c',
    '--mantine-color-yellow-light-color': '#7d5200',
    '--mantine-color-red-light-color': '#a61e1e',
    '--millwright-canvas': '#f6f8fa',
  },
  dark: {
    '--mantine-color-dimmed': '#96a0ac',
    '--mantine-color-anchor': '#8fb3d9',
    '--millwright-canvas': '#10141a',
  },
});
