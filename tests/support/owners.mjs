// Who owns what in a fleet.

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { programs } from './program.mjs';

/** Names of the edges that `--where` lists for a target, the owner first. */
export function ownersOf(edge, target) {
  const text = execFileSync(path.join(programs, 'torchrelay-edge'),
    ['--config', edge.configPath, '--where', target], { encoding: 'utf8' });
  return [...text.matchAll(/^ +\d+ {2}(?:owner|candidate) +(\S+)/gm)].map((line) => line[1]);
}
