// Finds out what is at an address before a player is made for it. An asset without a playlist is a
// 404 whose problem document tells its kind, its state and, of a photo, its widths. Either tells the
// title that the broadcaster gave it: text, never markup.

/**
 * @param {{tenant: string, asset: string}} address
 * @returns {Promise<({kind: 'video'} | {kind: 'photo', widths: number[]} | {kind: 'processing'} |
 *   {kind: 'failed', reason: string} | {kind: 'missing' | 'removed' | 'denied' | 'lost'} |
 *   {kind: 'trouble', status: number, retry_s?: number}) & {title?: string}>}
 */
export async function probe(address) {
  const response = await ask(playlistAddress(address));
  if (!response) return { kind: 'lost' };
  if (response.ok) return { kind: 'video', title: titleIn(await textOf(response)) };
  if ([401, 403, 451].includes(response.status)) return { kind: 'denied' };
  if (response.status === 410) return { kind: 'removed' };
  if (response.status !== 404) return trouble(response);
  const problem = await problemOf(response);
  const title = problem.asset_title;
  if (['receiving', 'queued', 'processing'].includes(problem.state)) return { kind: 'processing', title };
  if (problem.state === 'failed') return { kind: 'failed', reason: problem.detail, title };
  return problem.widths?.length > 0 ? { kind: 'photo', widths: problem.widths, title } : { kind: 'missing' };
}

/** What a multivariant playlist says that it shows (EXT-X-SESSION-DATA); '' when it does not. */
export function titleIn(playlist) {
  const line = playlist.split(/\r?\n/).find((each) => each.startsWith('#EXT-X-SESSION-DATA:') &&
    each.includes('DATA-ID="com.apple.hls.title"'));
  return /[:,]VALUE="([^"]*)"/.exec(line ?? '')?.[1] ?? '';
}

export function playlistAddress({ tenant, asset }) {
  return `/${tenant}/${asset}/index.m3u8`;
}

export function photoAddress({ tenant, asset }, width) {
  return `/${tenant}/${asset}/w${width}`;
}

function trouble(response) {
  const retry_s = Number(response.headers.get('retry-after'));
  return { kind: 'trouble', status: response.status, ...(retry_s > 0 ? { retry_s } : {}) };
}

/** What came of the text; a broken answer is the player's to find. */
async function textOf(response) {
  try {
    return await response.text();
  } catch {
    return '';
  }
}

async function problemOf(response) {
  try {
    return await response.json();
  } catch {
    return {};
  }
}

/** null when no answer came at all. */
async function ask(address) {
  try {
    return await fetch(address, { cache: 'no-cache' });
  } catch {
    return null;
  }
}
