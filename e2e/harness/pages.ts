/** Serves the pages of `pages/` as an integrator would: from an origin of their own, built from published packages. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { test } from '@playwright/test';
import { build } from 'esbuild';

const PAGES = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'pages');

/** Builds a page and serves it for all tests of one file. */
export function pageForThisFile(name: string): () => string {
  let server: Server | undefined;
  let url = '';
  test.beforeAll(async () => {
    const script = await bundle(name);
    const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${name}</title><body><script>${script}</script>`;
    server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(html);
    });
    url = await listen(server);
  });
  test.afterAll(() => {
    server?.close();
    server?.closeAllConnections();
  });
  return () => url;
}

async function bundle(name: string): Promise<string> {
  const entry = path.join(PAGES, name, 'main.ts');
  const result = await build({ entryPoints: [entry], bundle: true, write: false, format: 'iife', target: 'es2022' });
  return result.outputFiles[0]?.text.replaceAll('</script', '<\\/script') ?? '';
}

async function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`);
    });
  });
}

const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};

/** Serves the files of a folder. */
export async function serveFolder(folder: string): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const name = path.join(folder, path.normalize(new URL(request.url ?? '/', 'http://x').pathname));
    try {
      const body = readFileSync(name);
      response.writeHead(200, { 'content-type': TYPES[path.extname(name)] ?? 'application/octet-stream' });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  const url = (await listen(server)).replace(/\/$/, '');
  return {
    url,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
