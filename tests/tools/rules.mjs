// The rules that a finished presentation must meet: Apple's authoring specification (numbers like
// 7.7) and RFC 8216bis, as far as they apply to what Torchrelay publishes. Pure: each takes a loaded
// presentation and reports findings as report(rule, where, what).

import { nalTypes } from './fmp4.mjs';

const tolerance = 0.10;       // 1.26, 1.27: measured against declared
const slow_path_bit_s = 192_000;
const clock_slack_s = 0.0011;  // EXTINF has six decimals, rungs may have other timescales

const isVideo = ({ init }) => init?.kind === 'vide';
const isAudio = ({ init }) => init?.kind === 'soun';
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const path = (url) => new URL(url).pathname;

export function timesOf({ samples }, { timescale, shift }) {
  const [first] = samples;
  const last = samples.at(-1);
  const ticks = last.decodeTime + last.duration - first.decodeTime;
  return {
    start_s: (first.decodeTime + first.cts - shift) / timescale,
    duration_s: ticks / timescale,
  };
}

export function multivariantAttributes({ url, multivariant, renditions }, report) {
  if (multivariant.variants.length === 0) report('variants', url, 'names no variant');
  const independent = multivariant.independent || renditions.every(({ media }) => media.independent);
  if (!independent) report('9.11 INDEPENDENT-SEGMENTS', url, 'is missing');
  for (const { attributes, url: variant } of multivariant.variants) {
    const rendition = renditions.find((one) => one.url === variant);
    const wanted = ['BANDWIDTH', 'AVERAGE-BANDWIDTH', 'CODECS',
      ...(isVideo(rendition ?? {}) ? ['RESOLUTION', 'FRAME-RATE'] : [])];
    for (const name of wanted) {
      if (!attributes[name]) report(`9.x ${name}`, variant, 'is missing from EXT-X-STREAM-INF');
    }
    const group = attributes.AUDIO;
    if (group && !multivariant.media.some((one) => one.attributes['GROUP-ID'] === group)) {
      report('AUDIO group', variant, `names group ${group}, which does not exist`);
    }
  }
  const sound = multivariant.media.some((one) => one.attributes.TYPE === 'AUDIO');
  if (sound && !multivariant.variants.some((one) => one.attributes.BANDWIDTH <= slow_path_bit_s)) {
    report('9.21 slow paths', url, `no variant stays below ${slow_path_bit_s} bit/s`);
  }
  for (const { attributes } of multivariant.media) {
    for (const name of ['TYPE', 'GROUP-ID', 'NAME', 'LANGUAGE']) {
      if (!attributes[name]) report(`8.10 ${name}`, url, 'is missing from EXT-X-MEDIA');
    }
  }
}

export function mediaPlaylists({ renditions }, report) {
  for (const { url, media } of renditions) {
    if (!['VOD', 'EVENT'].includes(media.type)) report('8.6 PLAYLIST-TYPE', url, `is ${media.type}`);
    if (!media.ended) report('8.x ENDLIST', url, 'is missing');
    if (!(media.target_s > 0)) report('TARGETDURATION', url, `is ${media.target_s}`);
    for (const { url: segment, duration_s } of media.segments) {
      if (!(duration_s > 0)) report('EXTINF', segment, `is ${duration_s}`);
      if (Math.round(duration_s) > media.target_s || duration_s > media.target_s + 0.5) {
        report('7.7 EXTINF within target', segment, `${duration_s} s, target ${media.target_s} s`);
      }
    }
  }
  const targets = new Set(renditions.map(({ media }) => media.target_s));
  if (targets.size > 1) report('8.2 same target duration', renditions[0].url, [...targets].join(' and '));
}

/** 8.22: the same boundaries; audio may differ by one of its own frames. */
export function boundaries({ renditions }, report) {
  const [first, ...others] = renditions;
  for (const other of first ? others : []) {
    const [a, b] = [first, other].map(({ media }) => media.segments);
    if (a.length !== b.length) {
      report('8.22 same boundaries', other.url, `${b.length} segments, ${first.name} has ${a.length}`);
    }
    const slack_s = Math.max(audioFrame_s(first), audioFrame_s(other)) + clock_slack_s;
    let [at_a, at_b] = [0, 0];
    for (let i = 0; i < Math.min(a.length, b.length) - 1; i++) {
      at_a += a[i].duration_s;
      at_b += b[i].duration_s;
      if (Math.abs(at_a - at_b) > slack_s) {
        report('8.22 same boundaries', b[i].url, `ends at ${at_b} s, ${first.name} at ${at_a} s`);
      }
    }
  }
}

const audioFrame_s = (rendition) =>
  (isAudio(rendition) ? rendition.segments[0].samples[0].duration / rendition.init.timescale : 0);

/**
 * 8.13 to 8.15 and RFC 8216bis 6.2.4: all renditions break at the same places; 4.4.4.3: an init that
 * says something else is such a break.
 */
export function breaks({ renditions }, report) {
  const placesOf = ({ media }) =>
    media.segments.flatMap(({ discontinuity }, i) => (discontinuity ? [i] : [])).join(' ');
  for (const rendition of renditions) {
    const [here, there] = [rendition, renditions[0]].map(placesOf);
    if (here !== there) {
      report('8.13 same discontinuities', rendition.url, `at ${here || 'none'}, ${renditions[0].name} at ${there || 'none'}`);
    }
    for (const [i, { map, discontinuity, url }] of rendition.media.segments.entries()) {
      if (i > 0 && map !== rendition.media.segments[i - 1].map && !discontinuity) {
        report('EXT-X-MAP changes with a discontinuity', url, 'has another map than the segment before');
      }
    }
  }
}

/** 7.3: each segment goes on where the one before ended; its EXTINF is its true length. */
export function continuity({ renditions }, report) {
  for (const { init, segments } of renditions) {
    let expected = null;
    for (const segment of segments) {
      const [first] = segment.samples;
      if (expected !== null && first.decodeTime !== expected) {
        report('7.3 tfdt continues', segment.url, `is ${first.decodeTime}, should be ${expected}`);
      }
      for (const [i, sample] of segment.samples.entries()) {
        const next = segment.samples[i + 1];
        if (next && next.decodeTime !== sample.decodeTime + sample.duration) {
          report('7.3 tfdt continues', segment.url, `a gap behind sample ${i}`);
        }
      }
      const last = segment.samples.at(-1);
      expected = last.decodeTime + last.duration;
      const { duration_s } = timesOf(segment, init);
      if (Math.abs(duration_s - segment.duration_s) > clock_slack_s) {
        report('EXTINF is true', segment.url, `says ${segment.duration_s} s, holds ${duration_s} s`);
      }
    }
  }
}

/** 7.4: video segments begin with an IDR picture. */
export function independentSegments({ renditions }, report) {
  for (const { segments } of renditions.filter(isVideo)) {
    for (const segment of segments) {
      const { init, samples: [first] } = segment;
      if (!first.sync) report('7.4 IDR first', segment.url, 'the first sample is not a sync sample');
      if (!init.codec.startsWith('avc1')) continue;
      try {
        const types = nalTypes(segment.bytes, first, init.nalLengthBytes);
        if (!types.includes(5)) report('7.4 IDR first', segment.url, `NAL types ${types.join(' ')}`);
      } catch (error) {
        report('H.264', segment.url, error.message);
      }
    }
  }
}

/** All rungs begin their segments with the same frame, and audio begins with them. */
export function alignment({ renditions }, report) {
  const videos = renditions.filter((one) => isVideo(one) && one.segments.length > 0);
  const [first, ...others] = videos;
  for (const other of others) {
    for (const [i, segment] of other.segments.entries()) {
      if (!first.segments[i]) break;
      const here_s = timesOf(segment, other.init).start_s;
      const there_s = timesOf(first.segments[i], first.init).start_s;
      if (Math.abs(here_s - there_s) > clock_slack_s) {
        report('rungs aligned', segment.url, `begins at ${here_s} s, ${first.name} at ${there_s} s`);
      }
    }
  }
  for (const audio of renditions.filter((one) => isAudio(one) && one.segments.length > 0)) {
    if (first) soundWithPicture(audio, first, report);
  }
}

function soundWithPicture(audio, video, report) {
  const starts_s = [audio, video].map(({ segments, init }) => timesOf(segments[0], init).start_s);
  // A clip begins in the middle of its source's sound, at the frame that is nearest.
  const isClip = !audio.media.map.startsWith(audio.url.slice(0, audio.url.lastIndexOf('/') + 1));
  const slack_s = isClip ? audioFrame_s(audio) : 0.001;
  if (Math.abs(starts_s[0] - starts_s[1]) > slack_s) {
    report('audio with video', audio.url, `begins at ${starts_s[0]} s, video at ${starts_s[1]} s`);
  }
  const [sound_s, picture_s] = [audio, video].map(({ segments }) =>
    sum(segments.map(({ duration_s }) => duration_s)));
  if (Math.abs(sound_s - picture_s) > 0.2) {
    report('2.15 audio spans the whole', audio.url, `${sound_s} s, video ${picture_s} s`);
  }
}

/** CODECS, RESOLUTION and FRAME-RATE say what the bytes are. */
export function truthfulAttributes({ multivariant, renditions }, report) {
  for (const { attributes, url } of multivariant.variants) {
    const rendition = renditions.find((one) => one.url === url);
    if (!rendition?.init || rendition.segments.length === 0) continue;
    const real = [rendition, ...audiosOf(attributes, multivariant, renditions)]
      .flatMap(({ segments }) => segments.map(({ init }) => init.codec));
    const declared = (attributes.CODECS ?? '').toLowerCase().split(',').map((codec) => codec.trim());
    for (const codec of new Set(real)) {
      if (!declared.includes(codec)) report('CODECS is true', url, `${declared.join(',')} lacks ${codec}`);
    }
    for (const codec of declared) {
      if (!real.includes(codec)) report('CODECS is true', url, `${codec} is in no rendition of it`);
    }
    if (isVideo(rendition)) truthfulPicture(attributes, rendition, report);
  }
}

function truthfulPicture(attributes, { url, init, segments }, report) {
  const size = `${init.width}x${init.height}`;
  if (init.squarePixels && attributes.RESOLUTION !== size) {
    report('RESOLUTION is true', url, `${attributes.RESOLUTION}, the picture is ${size}`);
  }
  const frames = sum(segments.map(({ samples }) => samples.length));
  const seconds = sum(segments.map((segment) => timesOf(segment, init).duration_s));
  const rate = frames / seconds;
  const stated = Number(attributes['FRAME-RATE']);
  // The outer pictures of a clip may be shown for a part of their time.
  if (Math.abs(frames - stated * seconds) > 1.01 && Math.abs(rate / stated - 1) > 0.01) {
    report('FRAME-RATE is true', url, `${attributes['FRAME-RATE']}, counted ${rate.toFixed(3)}`);
  }
}

const audiosOf = (attributes, multivariant, renditions) => {
  const urls = multivariant.media
    .filter((one) => one.attributes['GROUP-ID'] === attributes.AUDIO).map((one) => one.url);
  return renditions.filter(({ url }) => urls.includes(url));
};

/** 1.26, 1.27: measured rates within ten per cent of the declared ones. */
export function bitRates({ multivariant, renditions }, report) {
  for (const { attributes, url } of multivariant.variants) {
    // The sound alone is a variant that is its own rendition.
    const parts = [...new Set([renditions.find((one) => one.url === url),
      ...audiosOf(attributes, multivariant, renditions)])].filter((one) => one?.segments.length > 0);
    if (parts.length === 0) continue;
    compareRate('1.26 AVERAGE-BANDWIDTH', attributes['AVERAGE-BANDWIDTH'], sum(parts.map(averageRate)), url, report);
    compareRate('1.27 BANDWIDTH', attributes.BANDWIDTH, sum(parts.map(peakRate)), url, report);
  }
}

function compareRate(rule, declared, measured, url, report) {
  const ratio = measured / Number(declared);
  if (!(Math.abs(ratio - 1) <= tolerance)) {
    report(rule, url, `declares ${declared} bit/s, measured ${Math.round(measured)}`);
  }
}

const bitsOf = ({ bytes }) => 8 * bytes.length;

export function averageRate({ segments }) {
  return sum(segments.map(bitsOf)) / sum(segments.map(({ duration_s }) => duration_s));
}

/**
 * RFC 8216bis 4.4.6.2: the largest rate of any run of segments that lasts between half and one and a
 * half target durations; of the whole where it is shorter.
 */
export function peakRate({ media, segments }) {
  let peak = 0;
  for (let i = 0; i < segments.length; i++) {
    let [bits, seconds] = [0, 0];
    for (let j = i; j < segments.length && seconds < 1.5 * media.target_s; j++) {
      bits += bitsOf(segments[j]);
      seconds += segments[j].duration_s;
      if (seconds >= 0.5 * media.target_s && seconds <= 1.5 * media.target_s) peak = Math.max(peak, bits / seconds);
    }
  }
  return peak || averageRate({ segments });
}

export const allRules = [multivariantAttributes, mediaPlaylists, boundaries, breaks, continuity,
  independentSegments, alignment, truthfulAttributes, bitRates];
