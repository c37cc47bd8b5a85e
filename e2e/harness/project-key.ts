/** The key of the built-in project, which the program makes at its first start. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import type { ProjectKey } from './platform.ts';

/** Reads it from the data folder, as an operator does who sets up a backend. */
export function projectKey(dataDir: string): ProjectKey {
  const text = readFileSync(path.join(dataDir, 'project-key.json'), 'utf8');
  const key = JSON.parse(text) as { project_id: string; key_id: string; private_key: string };
  return { projectId: key.project_id, keyId: key.key_id, privateKeyPem: key.private_key };
}
