// Finds out what is at an address before a player is made for it.

/**
 * @param {{tenant: string, asset: string}} address
 * @returns {Promise<{kind: 'video', text: string} | {kind: 'photo'} | {kind: 'processing'} |
 *   {kind: 'failed', reason: string} | {kind: 'missing' | 'removed' | 'denied' | 'lost'} |
 *   {kind: 'trouble', status: number, retry_s?: number}>}
 */
export async function probe(address) {
  const response = await ask(playlistAddress(address));
  if (!response) return { kind: 'lost' };
  if (response.ok) return { kind: 'video', text: await response.text() };
  if ([401, 403, 451].includes(response.status)) return { kind: 'denied' };
  if (response.status === 410) return { kind: 'removed' };
  if (response.status !== 404) return trouble(response);
  const problem = await problemOf(response);
  if (['receiving', 'queued', 'processing'].includes(problem.state)) return { kind: 'processing' };
  if (problem.state === 'failed') return { kind: 'failed', reason: problem.detail };
  return (await isPhoto(address)) ? { kind: 'photo' } : { kind: 'missing' };
}

export function playlistAddress({ tenant, asset }) {
  return `/${tenant}/${asset}/index.m3u8`;
}

/** Widths that a photo may have; those above its own are answered with its largest. */
export const photoWidths = [320, 640, 1280, 1920, 2560];

export function photoAddress({ tenant, asset }, width) {
  return `/${tenant}/${asset}/w${width}`;
}

async function isPhoto(address) {
  const response = await ask(photoAddress(address, photoWidths[0]), { method: 'HEAD' });
  return response?.ok === true;
}

function trouble(response) {
  const retry_s = Number(response.headers.get('retry-after'));
  return { kind: 'trouble', status: response.status, ...(retry_s > 0 ? { retry_s } : {}) };
}

async function problemOf(response) {
  try {
    return await response.json();
  } catch {
    return {};
  }
}

/** null when no answer came at all. */
async function ask(address, options = {}) {
  try {
    return await fetch(address, { cache: 'no-cache', ...options });
  } catch {
    return null;
  }
}
