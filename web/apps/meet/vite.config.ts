import react from '@vitejs/plugin-react';
import { resolve } from 'node:path';
import { defineConfig } from 'vite';

/** Where a server for development listens: `VITE_SERVER=http://localhost:8080 npm run dev -w apps/meet`. */
const server = process.env['VITE_SERVER'] ?? 'http://localhost:8080';

export default defineConfig(({ mode }) => ({
  plugins: [react()],
  appType: 'spa',
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'],
    outDir: mode === 'gallery' ? 'node_modules/.gallery' : 'dist',
    emptyOutDir: true,
    // The server sends `script-src 'self'`: nothing may be inlined as `data:`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // The gallery shows every state from made-up snapshots. It is never part of the product.
      input: resolve(import.meta.dirname, mode === 'gallery' ? 'gallery.html' : 'index.html'),
    },
  },
  server: {
    proxy: Object.fromEntries(
      ['/meet', '/v1', '/oauth', '/healthz'].map((path) => [path, { target: server, ws: true, changeOrigin: true }]),
    ),
  },
}));
