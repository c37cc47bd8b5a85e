import { defineConfig } from 'vite';

/** One module for pages that use the SDK without a bundler. In this workspace, packages import the sources. */
export default defineConfig({
  build: {
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: 'althing-sdk' },
    target: 'es2022',
    sourcemap: true,
    minify: false,
  },
});
