// Reads the boxes of fragmented MP4 (ISO/IEC 14496-12) that matter to a player. Throws on what is
// broken; the validator turns that into a finding.

/** Boxes of a range: [{type, start, body, end}]; offsets are into the buffer. */
export function boxes(bytes, start = 0, end = bytes.length) {
  const found = [];
  for (let at = start; at < end;) {
    if (end - at < 8) throw new Error(`${end - at} stray bytes at ${at}`);
    let size = bytes.readUInt32BE(at);
    let body = at + 8;
    if (size === 1) {
      size = Number(bytes.readBigUInt64BE(at + 8));
      body = at + 16;
    }
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (size < body - at || at + size > end) throw new Error(`box ${type} at ${at} has size ${size}`);
    found.push({ type, start: at, body, end: at + size });
    at += size;
  }
  return found;
}

const child = (bytes, parent, type) =>
  boxes(bytes, parent.body, parent.end).find((box) => box.type === type);

function must(box, type) {
  if (!box) throw new Error(`no ${type} box`);
  return box;
}

const path = (bytes, parent, ...types) =>
  types.reduce((box, type) => must(child(bytes, box, type), type), parent);

/** The one track of an init segment. */
export function readInit(bytes) {
  const moov = must(boxes(bytes).find(({ type }) => type === 'moov'), 'moov');
  const traks = boxes(bytes, moov.body, moov.end).filter(({ type }) => type === 'trak');
  if (traks.length !== 1) throw new Error(`${traks.length} tracks in one init segment`);
  const [trak] = traks;
  const mdhd = path(bytes, trak, 'mdia', 'mdhd');
  const handler = path(bytes, trak, 'mdia', 'hdlr');
  return {
    brands: brandsOf(bytes),
    kind: bytes.toString('latin1', handler.body + 8, handler.body + 12),  // "vide", "soun"
    timescale: bytes.readUInt32BE(mdhd.body + (bytes[mdhd.body] === 1 ? 20 : 12)),
    shift: editShift(bytes, trak),
    defaults: trackDefaults(bytes, moov),
    ...sampleEntry(bytes, path(bytes, trak, 'mdia', 'minf', 'stbl', 'stsd')),
  };
}

function brandsOf(bytes) {
  const ftyp = must(boxes(bytes).find(({ type }) => type === 'ftyp'), 'ftyp');
  const text = bytes.toString('latin1', ftyp.body, ftyp.end);
  return text.match(/.{4}/gs) ?? [];
}

/** Media time that an edit list makes the start of the presentation, in timescale units. */
function editShift(bytes, trak) {
  const edts = child(bytes, trak, 'edts');
  const elst = edts && child(bytes, edts, 'elst');
  if (!elst) return 0;
  const long = bytes[elst.body] === 1;
  const first = elst.body + 8;
  return long ? Number(bytes.readBigInt64BE(first + 8)) : bytes.readInt32BE(first + 4);
}

function trackDefaults(bytes, moov) {
  const mvex = child(bytes, moov, 'mvex');
  const trex = mvex && child(bytes, mvex, 'trex');
  if (!trex) throw new Error('no trex box');
  return {
    duration: bytes.readUInt32BE(trex.body + 12), size: bytes.readUInt32BE(trex.body + 16),
    flags: bytes.readUInt32BE(trex.body + 20),
  };
}

function sampleEntry(bytes, stsd) {
  const [entry] = boxes(bytes, stsd.body + 8, stsd.end);
  if (entry.type === 'avc1') return avcEntry(bytes, entry);
  if (entry.type === 'mp4a') return { codec: `mp4a.40.${audioObjectType(bytes, entry)}` };
  return { codec: entry.type };
}

function avcEntry(bytes, entry) {
  const inner = boxes(bytes, entry.body + 78, entry.end);
  const avcC = must(inner.find(({ type }) => type === 'avcC'), 'avcC');
  const pasp = inner.find(({ type }) => type === 'pasp');
  const hex = bytes.toString('hex', avcC.body + 1, avcC.body + 4);
  return {
    codec: `avc1.${hex}`,
    width: bytes.readUInt16BE(entry.body + 24), height: bytes.readUInt16BE(entry.body + 26),
    squarePixels: !pasp || bytes.readUInt32BE(pasp.body) === bytes.readUInt32BE(pasp.body + 4),
    nalLengthBytes: (bytes[avcC.body + 4] & 3) + 1,
  };
}

/** From the esds box: the first five bits of the DecoderSpecificInfo (tag 5). */
function audioObjectType(bytes, entry) {
  const esds = must(boxes(bytes, entry.body + 28, entry.end).find(({ type }) => type === 'esds'), 'esds');
  for (let at = esds.body + 4; at < esds.end;) {
    const tag = bytes[at++];
    while (bytes[at] & 0x80) at++;
    at++;
    if (tag === 5) return bytes[at] >> 3;
    at += { 3: 3, 4: 13 }[tag] ?? esds.end;
  }
  throw new Error('no decoder configuration in esds');
}

/**
 * All samples of a media segment: {samples: [{decodeTime, duration, cts, size, sync, offset}]},
 * times in units of the track's timescale.
 */
export function readSegment(bytes, track) {
  const all = boxes(bytes);
  const samples = [];
  for (const [i, moof] of all.entries()) {
    if (moof.type !== 'moof') continue;
    const mdat = all[i + 1];
    if (mdat?.type !== 'mdat') throw new Error('a moof without its mdat behind it');
    samples.push(...fragmentSamples(bytes, moof, mdat, track.defaults));
  }
  if (samples.length === 0) throw new Error('a segment without samples');
  return { samples, types: all.map(({ type }) => type) };
}

function fragmentSamples(bytes, moof, mdat, defaults) {
  const traf = must(child(bytes, moof, 'traf'), 'traf');
  const header = readTfhd(bytes, must(child(bytes, traf, 'tfhd'), 'tfhd'), defaults);
  const tfdt = must(child(bytes, traf, 'tfdt'), 'tfdt');
  let decodeTime = bytes[tfdt.body] === 1
    ? Number(bytes.readBigUInt64BE(tfdt.body + 4)) : bytes.readUInt32BE(tfdt.body + 4);
  const samples = [];
  for (const trun of boxes(bytes, traf.body, traf.end).filter(({ type }) => type === 'trun')) {
    for (const sample of readTrun(bytes, trun, moof, header)) {
      if (sample.offset < mdat.body || sample.offset + sample.size > mdat.end) {
        throw new Error(`sample ${samples.length} lies outside of its mdat`);
      }
      samples.push({ ...sample, decodeTime });
      decodeTime += sample.duration;
    }
  }
  return samples;
}

function readTfhd(bytes, tfhd, defaults) {
  const flags = bytes.readUInt32BE(tfhd.body) & 0xffffff;
  let at = tfhd.body + 8;
  if (flags & 0x1) throw new Error('tfhd has a base data offset; CMAF forbids it');
  if (flags & 0x2) at += 4;
  const next = (bit, otherwise) => {
    if (!(flags & bit)) return otherwise;
    at += 4;
    return bytes.readUInt32BE(at - 4);
  };
  return { duration: next(0x8, defaults.duration), size: next(0x10, defaults.size),
    flags: next(0x20, defaults.flags) };
}

function readTrun(bytes, trun, moof, header) {
  const flags = bytes.readUInt32BE(trun.body) & 0xffffff;
  const count = bytes.readUInt32BE(trun.body + 4);
  let at = trun.body + 8;
  const next = (bit, otherwise, read = (place) => bytes.readUInt32BE(place)) => {
    if (!(flags & bit)) return otherwise;
    at += 4;
    return read(at - 4);
  };
  if (!(flags & 0x1)) throw new Error('trun has no data offset');
  let offset = moof.start + next(0x1);
  const firstFlags = next(0x4, null);
  const samples = [];
  for (let i = 0; i < count; i++) {
    const duration = next(0x100, header.duration);
    const size = next(0x200, header.size);
    const sampleFlags = next(0x400, i === 0 && firstFlags !== null ? firstFlags : header.flags);
    const cts = next(0x800, 0, (place) => bytes.readInt32BE(place));
    samples.push({ duration, size, cts, sync: (sampleFlags & 0x10000) === 0, offset });
    offset += size;
  }
  return samples;
}

/** Types of the NAL units of one H.264 sample. */
export function nalTypes(bytes, sample, nalLengthBytes) {
  const types = [];
  const end = sample.offset + sample.size;
  for (let at = sample.offset; at < end;) {
    const size = bytes.readUIntBE(at, nalLengthBytes);
    at += nalLengthBytes;
    if (size === 0 || at + size > end) throw new Error('a NAL unit goes past its sample');
    types.push(bytes[at] & 0x1f);
    at += size;
  }
  return types;
}
