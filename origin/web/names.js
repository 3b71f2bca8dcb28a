// From a file to an asset: its kind and a name that the origin allows. Pure.

const name_length_max = 64;
const photo_endings = /\.(jpe?g|png|webp|avif|heic|heif|gif|tiff?|mpo)$/i;

/** "photos" or "videos", by the browser's type and else by the ending. */
export function kindOf(file) {
  if (file.type.startsWith('image/')) return 'photos';
  if (file.type.startsWith('video/')) return 'videos';
  return photo_endings.test(file.name) ? 'photos' : 'videos';
}

/** "Final 100m (HD).mp4" → "Final-100m-HD" */
export function assetName(fileName) {
  return plainName(fileName.replace(/\.[^.]*$/, '')) || `upload-${Date.now().toString(36)}`;
}

/** "Goal: 2.0!" → "Goal-2.0": as the origin allows, 1 to 64 of A–Z a–z 0–9 . _ -, no dot first; or ''. */
export function plainName(text) {
  const plain = text.normalize('NFKD').replace(/[\u0300-\u036f]/g, '');
  return plain.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '').slice(0, name_length_max);
}

/** "final", 2 → "final-2", no longer than a name may be. */
export function numbered(name, number) {
  const ending = `-${number}`;
  return name.slice(0, name_length_max - ending.length) + ending;
}
