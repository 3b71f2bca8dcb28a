// The pages of origin/web as files for a static server, so that tests of the pages can make their
// server slow, wrong or gone at will. The origin itself serves them in the other tests.

import fs from 'node:fs';
import path from 'node:path';
import { repository } from './program.mjs';

const folder = path.join(repository, 'origin/web');
const types = { '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };

/** Adds /watch/{tenant}/{asset} for each address, "/" and /static/test/… to a map of files. */
export function addPages(files, addresses) {
  const page = (name) => ({
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: Buffer.from(fs.readFileSync(path.join(folder, name), 'utf8').replaceAll('{{static}}', '/static/test')),
  });
  files.set('/', page('console.html'));
  for (const address of addresses) files.set(`/watch/${address}`, page('watch.html'));
  const scripts = fs.readdirSync(folder).filter((name) => types[path.extname(name)]);
  for (const name of [...scripts, 'node_modules/hls.js/dist/hls.min.js']) {
    files.set(`/static/test/${path.basename(name)}`, {
      headers: { 'content-type': types[path.extname(name)] },
      body: fs.readFileSync(path.join(folder, name)),
    });
  }
  return files;
}
