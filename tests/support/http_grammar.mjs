// HTTP/1 messages made from a grammar with faults in it, the same ones for the same seed. At each
// place of the grammar the right form is usual and a wrong one rare, so that most messages carry one
// or two faults; a few have a byte changed anywhere. Everything is latin1 text: a character a byte.

/** Numbers from a seed: chance(p), below(n), pick(list), may(usual, odd). */
export function randomness(seed, faults = 0.05) {
  let state = seed >>> 0;
  const next = () => {  // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(next() * n);
  const pick = (list) => list[below(list.length)];
  const chance = (p) => next() < p;
  return { chance, below, pick, may: (usual, odd) => (chance(faults) ? pick(odd) : usual) };
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];
const oddMethods = ['', 'G T', 'GE\tT', 'GET\0', '\r\nGET', '\nPOST', ' GET', 'CONNECT', 'PRI', 'P(ST', 'POST\x80'];
const oddSpaces = ['', '  ', '\t', '\r', '\x0b', '\x0c', '\xa0'];
const oddTargets = ['http://other/x', '*', 'other:443', '!', '', '/a b', '/a\tb', '/a\nb', '/a\rb',
  '/a\0b', '/a#b', '/\x80', '/..', '//x', '/%00', '/%zz', '/a|b{c}\\"?<>^`'];
const oddVersions = ['HTTP/1.0', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.10',
  'HTTP/01.1', 'HTTP/1.1 ', 'HTTP/1,1', 'HTTP/1.', 'HTTPS/1.1', ''];
const oddEnds = ['\n', '\r', '\r\r\n', '\n\r', '\r\n ', '\r\n\t', '\0\r\n', '\x85', '\r\n\r'];
const oddColons = [' :', '\t:', ':', ': \t ', ':\x0b', ':\xa0', '\0:', ':\r\n ', ';', '::', ' ', ''];
const oddNames = ['', 'X Y', 'X\0', 'X\x80', '\tX', ' X', 'X(', 'Content-Length\x0b'];
const oddValues = ['', 'a\0b', 'a\rb', 'a\nb', 'a\r\n b', '\x7f', '\x1b[m', '\xff', 'a\tb', 'a,b', '"',
  'a\r\nTransfer-Encoding: chunked', 'a\nContent-Length: 3', ',', 'x'.repeat(3000)];
const oddHosts = ['', 'a, b', 'u@a', 'a/b', 'a b', 'a\tb', '[::1]:80', 'h:99999', '\x80'];
const oddCodings = ['gzip', 'identity', 'chunked, identity', 'gzip, chunked', 'chunked, chunked', 'Chunked',
  ' chunked\t', '\x0bchunked', '\xa0chunked\xa0', '\xffchunked', 'chunked,', ',chunked', '"chunked"', 'chunked;q=1',
  'chunked\0', 'xchunked', 'chunkedx', 'chun ked', '', 'blegh', 'chunked\r\n ', '\r\n chunked', 'trailers'];
const oddConnections = ['close', 'close, keep-alive', 'keep-alive', 'upgrade', 'content-length',
  'transfer-encoding', 'host', 'close\tx', 'CLOSE', ',close,', 'x,\tclose'];
const oddSizes = [(n) => `0${n}`, (n) => `0x${n}`, (n) => `+${n}`, (n) => `-${n}`, (n) => ` ${n}`, (n) => `${n} `,
  (n) => `${n}\t`, (n) => `${n};`, (n) => `${n};a=b`, (n) => `${n};a="b\r\n"`, (n) => `${n};a\nb`, (n) => `${n};a\rb`,
  (n) => `${n} ;a`, (n) => `${n},`, (n) => `${n}g`, (n) => `1000000000000000${n}`, (n) => `000000000000000000${n}`, () => '',
  (n) => `${n}\0`, (n) => `${n.toUpperCase()}`, (n) => `${n};\xff`];
const oddLengths = [(n) => `0${n}`, (n) => `+${n}`, (n) => `-${n}`, (n) => `${n}, ${n}`, (n) => `${n},${n + 1}`,
  (n) => `${n}.0`, (n) => `0x${n.toString(16)}`, (n) => `${n} ${n}`, (n) => `${n}\t`, (n) => `${n}\0`, (n) => `\x0b${n}`,
  (n) => `1844674407370955161${n}`, () => '', (n) => `"${n}"`, (n) => `${n};a`, (n) => `${n}e0`, (n) => `${n}\r\n `, (n) => n + 1,
  (n) => Math.max(0, n - 1)];
const oddTrailers = ['A: b\r\n', 'A : b\r\n', 'A\r\n', 'A: b\n', ' A: b\r\n', 'Content-Length: 5\r\n', 'A: \0\r\n',
  'Transfer-Encoding: chunked\r\n', ': b\r\n', 'A: b\r', '\n'];

const field = (random, name, value) => random.may(name, [...oddNames, name.toUpperCase(), name.replace('-', '_')]) +
  random.may(': ', oddColons) + value + random.may('\r\n', oddEnds);

/** `payload` in chunks; where they are cut and how the lines look is chance. */
function chunked(random, payload) {
  let text = '';
  while (payload.length > 0) {
    const n = 1 + random.below(payload.length);
    const size = n.toString(16);
    const line = random.may((digits) => digits, oddSizes)(size);
    text += line + random.may('\r\n', oddEnds) + payload.slice(0, n) + random.may('\r\n', oddEnds);
    payload = payload.slice(n);
  }
  const last = random.may('0', ['00', '', '0;a', '0 ', '0x0', '-0', '000000000000000000000']);
  return last + random.may('\r\n', oddEnds) + random.may('', oddTrailers) + random.may('\r\n', oddEnds);
}

/** Framing fields and the body behind them: [[name, value]…], text. */
function framed(random, payload, kind) {
  const coding = ['Transfer-Encoding', random.may('chunked', oddCodings)];
  const length = (n) => ['Content-Length', random.may((digits) => `${digits}`, oddLengths)(n)];
  if (kind === 'none') return [random.may([], [[length(0)], [coding]]), ''];
  if (kind === 'chunked') {
    const text = chunked(random, payload);
    return [random.may([coding], [[coding, coding], [coding, length(payload.length)], [length(text.length), coding],
      [coding, ['Transfer-Encoding', 'identity']], [['Transfer-Encoding', 'gzip'], coding]]), text];
  }
  const right = length(payload.length);
  return [random.may([right], [[right, right], [right, length(payload.length)], [right, coding],
    [right, length(0)], []]), payload];
}

/** One request; its body holds another request, which nobody may ever see as one. */
export function makeRequest(random, id) {
  const method = random.may(random.pick(methods), oddMethods);
  const target = random.may(`/n/${id}${random.pick(['', '?q=1', '/x.m4s', ';p'])}`, oddTargets);
  const kind = random.pick(['none', 'none', 'length', 'chunked']);
  const inner = `GET /inner/${id} HTTP/1.1\r\nHost: h\r\n\r\n`;
  const [framing, body] = framed(random, random.pick([inner, 'hello', 'a', inner + inner]), kind);
  const fields = [['Host', random.may('h', oddHosts)], ...framing];
  if (random.chance(0.3)) fields.push(['X-A', random.may('b', oddValues)]);
  if (random.chance(0.1)) fields.push(['Connection', random.pick(oddConnections)]);
  if (random.chance(0.05)) fields.push(['Host', 'other']);
  if (random.chance(0.03)) fields.shift();
  if (random.chance(0.3)) fields.reverse();
  const line = method + random.may(' ', oddSpaces) + target + random.may(' ', oddSpaces) +
    random.may('HTTP/1.1', oddVersions) + random.may('\r\n', oddEnds);
  return line + fields.map(([name, value]) => field(random, name, value)).join('') +
    random.may('\r\n', oddEnds) + body;
}

/** One to three requests on one connection, and now and then a byte that was changed on the way. */
export function makeRequests(random, id) {
  const count = random.pick([1, 2, 2, 3]);
  const text = Array.from({ length: count }, (_, i) => makeRequest(random, `${id}.${i}`)).join('');
  return random.chance(0.25) ? disturb(random, text) : text;
}

const oddStatusLines = ['HTTP/1.0 200 OK', 'HTTP/1.1 200', 'HTTP/1.1 200 ', 'HTTP/1.1  200 OK', 'HTTP/1.1 20 OK',
  'HTTP/1.1 2000 OK', 'HTTP/1.1 099 X', 'HTTP/2.0 200 OK', 'HTTP/1.2 200 OK', 'ICY 200 OK', 'http/1.1 200 OK', 'HTTP/1.1\t200 OK',
  'HTTP/1.1 200\tOK', 'HTTP/1.1 200 a\0b', 'HTTP/1.1 200 \xff', 'HTTP/1.1 +20 OK', ' HTTP/1.1 200 OK', '\r\nHTTP/1.1 200 OK',
  'HTTP/1.1 204 No Content', 'HTTP/1.1 304 Not Modified', 'HTTP/1.1 101 Switching Protocols',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK', 'HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK'];

/** An upstream's answer whose body names `id`; another answer may follow it, which is nobody's. */
export function makeAnswer(random, id) {
  const kind = random.pick(['length', 'length', 'chunked', 'close']);
  const [framing, body] = kind === 'close' ? [[], `body of ${id}`] : framed(random, `body of ${id}`, kind);
  const fields = [['Cache-Control', 'no-store'], ...framing];
  if (random.chance(0.3)) fields.push(['X-A', random.may('b', oddValues)]);
  if (random.chance(0.1)) fields.push(['Connection', random.pick(oddConnections)]);
  if (random.chance(0.3)) fields.reverse();
  let text = random.may('HTTP/1.1 200 OK', oddStatusLines) + random.may('\r\n', oddEnds) +
    fields.map(([name, value]) => field(random, name, value)).join('') + random.may('\r\n', oddEnds) + body;
  if (random.chance(0.15)) text += 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
  return random.chance(0.2) ? disturb(random, text) : text;
}

const strayBytes = ['\r', '\n', '\0', ' ', '\t', ':', ',', ';', '\x0b', '\x80', 'A', '0', '\r\n', '\r\n\r\n'];

/** One byte replaced, put in, taken out or doubled. */
function disturb(random, text) {
  const at = random.below(text.length), byte = random.pick(strayBytes);
  const ways = [[byte, 1], [byte, 0], ['', 1], [text[at], 0]];
  const [put, taken] = random.pick(ways);
  return text.slice(0, at) + put + text.slice(at + taken);
}

/**
 * Requests as the strictest reader of RFC 9112 takes them: [{method, target, fields, body}], or an
 * Error that says what is not plain. An edge must send nothing else.
 */
export function readStrictly(text) {
  const requests = [];
  while (text.length > 0) {
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return new Error(`an unfinished head: ${JSON.stringify(text)}`);
    const [line, ...lines] = text.slice(0, end).split('\r\n');
    const first = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\/[\x21-\x22\x24-\x7e]*) HTTP\/1\.1$/.exec(line);
    if (!first) return new Error(`request line ${JSON.stringify(line)}`);
    const fields = lines.map((one) => /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)$/.exec(one));
    const bad = fields.findIndex((one) => !one);
    if (bad >= 0) return new Error(`field line ${JSON.stringify(lines[bad])}`);
    const values = (name) => fields.filter((one) => one[1].toLowerCase() === name).map((one) => one[2]);
    if (values('host').length !== 1) return new Error(`${values('host').length} Hosts`);
    if (values('transfer-encoding').length > 0) return new Error('a transfer coding');
    const lengths = values('content-length');
    if (lengths.length > 1 || !/^\d*$/.test(lengths[0] ?? '')) return new Error(`lengths ${lengths}`);
    const bodyEnd = end + 4 + Number(lengths[0] ?? 0);
    if (text.length < bodyEnd) return new Error('a short body');
    requests.push({ method: first[1], target: first[2], body: text.slice(end + 4, bodyEnd) });
    text = text.slice(bodyEnd);
  }
  return requests;
}
