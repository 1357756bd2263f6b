import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/**
 * What the built page may do: load from its own origin and nothing else, run no inline script and
 * no `eval`. Inline styles stay allowed because Mantine and ECharts set them at run time.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ');

/**
 * Puts the policy into the built page, so that it holds whatever serves the folder, and keeps the
 * first paint for the first script: without that a dark page flashes white.
 */
function hardenPage(): Plugin {
  return {
    name: 'millwright-harden-page',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (html) => ({
        html: html.replace('<script type="module"', '<script type="module" blocking="render"'),
        tags: [
          {
            tag: 'meta',
            attrs: { 'http-equiv': 'Content-Security-Policy', content: CONTENT_SECURITY_POLICY },
            injectTo: 'head-prepend',
          },
        ],
      }),
    },
  };
}

/** `vite` serves the UI alone during development; the API is a running `millwright up`. */
const SERVER = 'http://127.0.0.1:7070';

export default defineConfig({
  root: fileURLToPath(new URL('src/web', import.meta.url)),
  plugins: [react(), hardenPage()],
  build: {
    outDir: fileURLToPath(new URL('dist/web', import.meta.url)),
    emptyOutDir: true,
    target: 'es2024',
    // A data: URL would need a wider policy than the page has.
    assetsInlineLimit: 0,
    // ECharts' core alone is over half a megabyte; it is a chunk of its own, loaded with a chart.
    chunkSizeWarningLimit: 600,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Zod and what configures it are one chunk, run before any contract makes a schema.
          groups: [{ name: 'zod', test: /node_modules\/zod\/|zod-without-eval/ }],
        },
      },
    },
  },
  server: { proxy: { '/api': SERVER, '/v2': SERVER, '/health': SERVER } },
});
