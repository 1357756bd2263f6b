import './zod-without-eval.ts';
// In a cascade layer, so that a page's own rules win whatever order chunks load in.
import '@mantine/core/styles.layer.css';
import './page.css';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { present } from '../base/assert.ts';
import { Live } from './kit/live.tsx';
import { createQueryClient } from './kit/use-route.ts';
import { router } from './router.tsx';
import { cssVariables, theme } from './theme.ts';

createRoot(present(document.getElementById('root'), '#root')).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={createQueryClient()}>
        <Live>
          <RouterProvider router={router} />
        </Live>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
