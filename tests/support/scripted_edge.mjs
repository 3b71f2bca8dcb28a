// An edge before a scripted origin, for all tests of a file.

import { after } from 'node:test';
import { startScriptedOrigin } from './scripted_origin.mjs';
import { cleanUp, startEdge } from './torchrelay.mjs';

/** {origin, edge}, both until the file's last test has ended. `options`: as of startEdge. */
export async function startScriptedEdge(options = {}) {
  const origin = await startScriptedOrigin();
  let edge;
  try {
    edge = await startEdge({ upstream: origin.url, ...options });
  } catch (error) {
    await origin.close();
    throw error;
  }
  after(async () => {
    await cleanUp(edge);
    await origin.close();
  });
  return { origin, edge };
}
