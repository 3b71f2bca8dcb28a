// Whether a name is in use at the origin, and another one that is free.

import { numbered } from './names.js';

/** The asset of that name; null where there is none, or only one that failed and shows nothing. */
export async function assetThatStays(api, name) {
  try {
    const asset = await api.asset(name);
    return asset.state === 'failed' && !asset.playback ? null : asset;
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** "final-2" or a higher number; `isUsed(name)` knows of names that the origin does not know yet. */
export async function freeName(api, name, isUsed = () => false) {
  for (let number = 2; number < 100; number += 1) {
    const other = numbered(name, number);
    if (!isUsed(other) && !(await assetThatStays(api, other))) return other;
  }
  throw new Error(`“${name}” is there already. Choose another name.`);
}
