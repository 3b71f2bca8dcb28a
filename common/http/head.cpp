#include "common/http/head.hpp"

#include <bit>
#include <cstring>
#include <utility>

#include "common/http/syntax.hpp"

namespace relay::http {
namespace {

// Sixteen bytes at a time, by the compiler's own vectors: SSE2, NEON or plain code.
using Block = unsigned char __attribute__((vector_size(16)));
using BlockMask = bool __attribute__((ext_vector_type(16)));

Block load(const char* at) {
  Block block;
  std::memcpy(&block, at, sizeof block);
  return block;
}

template <class Comparison>
unsigned bits(Comparison comparison) {
  return std::bit_cast<std::uint16_t>(__builtin_convertvector(comparison, BlockMask));
}

bool is_control(char c) {
  auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

/// The first control byte but tab; `end` when there is none.
const char* find_control(const char* at, const char* end) {
  for (; end - at >= 16; at += 16) {
    Block block = load(at);
    unsigned found = bits(((block < 0x20) & (block != '\t')) | (block == 0x7f));
    if (found != 0) return at + std::countr_zero(found);
  }
  while (at != end && !is_control(*at)) ++at;
  return at;
}

/// The first byte that may not stand in a target: anything but visible ASCII, and "#".
const char* find_target_end(const char* at, const char* end) {
  for (; end - at >= 16; at += 16) {
    Block block = load(at);
    unsigned found = bits((block <= 0x20) | (block >= 0x7f) | (block == '#'));
    if (found != 0) return at + std::countr_zero(found);
  }
  while (at != end && *at > ' ' && *at < 0x7f && *at != '#') ++at;
  return at;
}

std::unexpected<Refusal> refuse(int status, std::string_view reason) {
  return std::unexpected(Refusal{status, reason});
}

/// What the fields say about framing and the connection, gathered while they are read.
struct Gathered {
  std::size_t fields = 0;
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
  std::string_view host;
  std::string_view length;
  std::string_view coding;
  bool close = false;
  bool stay = false;
  bool tabs = false;  // around a value that says where the body ends
};

/// A tab before or behind the value of a field that was read; llhttp takes it for a part of it.
bool has_tab_around(std::string_view value) {
  const char* before = value.data() - 1;  // the colon at the latest ends this
  while (*before == ' ') --before;
  const char* behind = value.data() + value.size();  // and the line's CR this
  while (*behind == ' ') ++behind;
  return *before == '\t' || *behind == '\t';
}

void gather_connection(std::string_view value, Gathered& into) {
  while (auto token = next_element(value)) {
    if (same_name(*token, "close")) into.close = true;
    if (same_name(*token, "keep-alive")) into.stay = true;
  }
}

void gather(const Field& field, Gathered& into) {
  switch (field.name.size()) {
    case 4:
      if (same_name(field.name, "host")) ++into.hosts, into.host = field.value;
      return;
    case 10:
      if (same_name(field.name, "connection")) gather_connection(field.value, into);
      return;
    case 14:
      if (!same_name(field.name, "content-length")) return;
      ++into.lengths, into.length = field.value;
      into.tabs |= has_tab_around(field.value);
      return;
    case 17:
      if (!same_name(field.name, "transfer-encoding")) return;
      ++into.codings, into.coding = field.value;
      into.tabs |= has_tab_around(field.value);
      return;
    default:
      return;
  }
}

/// One "name: value CR LF"; moves `at` behind it.
std::expected<Field, Refusal> read_field(const char*& at, const char* end) {
  const char* name = at;
  while (at != end && is_token_byte(*at)) ++at;
  if (at == name && at != end && is_space(*at)) return refuse(400, "folded field line");
  if (at == end || *at != ':' || at == name) return refuse(400, "field name is not a token");
  std::string_view name_text(name, at);
  const char* value = ++at;
  at = find_control(at, end);
  if (end - at < 2 || at[0] != '\r' || at[1] != '\n') {
    return refuse(400, "control byte in a field value");
  }
  std::string_view value_text = trim(std::string_view(value, at));
  at += 2;
  return Field{name_text, value_text};
}

/// All fields up to the empty line, which must end the head.
std::expected<Gathered, Refusal> read_fields(const char* at, const char* end, FieldStore& store) {
  Gathered gathered;
  while (true) {
    if (end - at >= 2 && at[0] == '\r' && at[1] == '\n') {
      if (end - at != 2) return refuse(400, "bytes behind the end of the head");
      return gathered;
    }
    if (gathered.fields == store.size()) return refuse(431, "too many header fields");
    auto field = read_field(at, end);
    if (!field) return std::unexpected(field.error());
    store[gathered.fields++] = *field;
    gather(*field, gathered);
  }
}

/// 501 for a coding that is not known here, 400 for what is no proper "chunked" either.
std::unexpected<Refusal> refuse_coding(std::string_view coding) {
  while (auto element = next_element(coding)) {
    if (!is_token(*element)) return refuse(400, "malformed Transfer-Encoding");
    if (!same_name(*element, "chunked")) return refuse(501, "unknown transfer coding");
  }
  return refuse(400, "malformed Transfer-Encoding");
}

/// RFC 9112 6.3 without its allowances: every doubt is a refusal.
std::expected<BodyFraming, Refusal> judge_framing(const Gathered& gathered, int minor_version) {
  if (gathered.tabs) return refuse(400, "tab around the value of a framing field");
  if (gathered.codings > 0) {
    if (gathered.lengths > 0) return refuse(400, "Transfer-Encoding together with Content-Length");
    if (minor_version == 0) return refuse(400, "Transfer-Encoding in HTTP/1.0");
    if (gathered.codings > 1) return refuse(400, "more than one Transfer-Encoding");
    if (!same_name(gathered.coding, "chunked")) return refuse_coding(gathered.coding);
    return BodyFraming{BodyKind::chunked, 0};
  }
  if (gathered.lengths == 0) return BodyFraming{};
  if (gathered.lengths > 1) return refuse(400, "more than one Content-Length");
  auto length = read_decimal(gathered.length);
  if (!length) return refuse(400, "Content-Length is not a number");
  return BodyFraming{BodyKind::length, *length};
}

bool stays(const Gathered& gathered, int minor_version) {
  return !gathered.close && (minor_version == 1 || gathered.stay);
}

bool is_host(std::string_view host) {
  for (char c : host) {
    bool allowed = (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || c == '.' || c == '-' ||
                   c == '_' || c == '~' || c == ':' || c == '[' || c == ']';
    if (!allowed) return false;
  }
  return !host.empty() && host.size() <= 262;  // 255 of a name, ":" and a port
}

/// "HTTP/1.0" and "HTTP/1.1" give 0 and 1.
std::expected<int, Refusal> read_version(std::string_view text) {
  constexpr std::string_view start = "HTTP/1.";
  if (text.size() == 8 && text.starts_with(start)) {
    if (text[7] == '1') return 1;
    if (text[7] == '0') return 0;
  }
  if (text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
      is_digit(text[7])) {
    return refuse(505, "HTTP version is not 1.0 or 1.1");
  }
  return refuse(400, "malformed HTTP version");
}

constexpr std::ptrdiff_t version_bytes = 8;

/// "METHOD SP target SP HTTP/1.x CR LF"; moves `at` behind it.
std::expected<void, Refusal> read_request_line(const char*& at, const char* end,
                                               RequestHead& into) {
  const char* method = at;
  while (at != end && is_token_byte(*at)) ++at;
  if (at == method || at == end || *at != ' ') return refuse(400, "malformed method");
  into.method = std::string_view(method, at);
  // What follows these is a tunnel or HTTP/2 to some readers and the next request to others.
  if (into.method == "CONNECT" || into.method == "PRI") {
    return refuse(501, "a method that leaves HTTP/1");
  }
  const char* target = ++at;
  at = find_target_end(at, end);
  into.target = std::string_view(target, at);
  if (into.target.size() > limits::target_bytes_max) return refuse(414, "target too long");
  if (at == end || *at != ' ') return refuse(400, "byte that may not stand in a target");
  if (!into.target.starts_with('/')) return refuse(400, "target does not begin with a slash");
  const char* version = ++at;
  if (end - at < version_bytes + 2 || at[version_bytes] != '\r' || at[version_bytes + 1] != '\n') {
    return refuse(400, "malformed request line");
  }
  auto minor = read_version(std::string_view(version, version_bytes));
  if (!minor) return std::unexpected(minor.error());
  into.minor_version = *minor;
  at += version_bytes + 2;
  return {};
}

/// "HTTP/1.x SP 200 [SP reason] CR LF"; moves `at` behind it.
std::expected<void, Refusal> read_status_line(const char*& at, const char* end,
                                              ResponseHeadView& into) {
  if (end - at < version_bytes + 6) return refuse(400, "malformed status line");
  auto minor = read_version(std::string_view(at, version_bytes));
  if (!minor) return std::unexpected(minor.error());
  into.minor_version = *minor;
  at += version_bytes;
  if (at[0] != ' ' || at[1] < '1' || at[1] > '9' || !is_digit(at[2]) || !is_digit(at[3])) {
    return refuse(400, "malformed status");
  }
  into.status = (at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0');
  at += 4;
  if (*at != ' ' && *at != '\r') return refuse(400, "malformed status");
  at = find_control(at, end);
  if (end - at < 2 || at[0] != '\r' || at[1] != '\n') {
    return refuse(400, "control byte in the reason");
  }
  at += 2;
  return {};
}

bool has_no_body(int status, std::string_view request_method) {
  return status < 200 || status == 204 || status == 304 || request_method == "HEAD";
}

}  // namespace

std::size_t head_length(std::string_view bytes, std::size_t& scanned) {
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  const char* at = begin + scanned;
  // Two CRs two apart are rare but at the end; only these places are looked at closely.
  for (; end - at >= 19; at += 16) {
    unsigned found = bits((load(at) == '\r') & (load(at + 2) == '\r'));
    for (; found != 0; found &= found - 1) {
      const char* place = at + std::countr_zero(found);
      if (end - place >= 4 && place[1] == '\n' && place[3] == '\n') return place + 4 - begin;
    }
  }
  for (; end - at >= 4; ++at) {
    if (std::memcmp(at, "\r\n\r\n", 4) == 0) return at + 4 - begin;
  }
  scanned = at - begin;
  return 0;
}

std::expected<RequestHead, Refusal> read_request_head(std::string_view head, FieldStore& store) {
  const char* at = head.data();
  const char* const end = at + head.size();
  RequestHead request;
  if (auto line = read_request_line(at, end, request); !line) return std::unexpected(line.error());
  auto gathered = read_fields(at, end, store);
  if (!gathered) return std::unexpected(gathered.error());
  if (gathered->hosts != 1) return refuse(400, "not exactly one Host");
  if (!is_host(gathered->host)) return refuse(400, "malformed Host");
  auto body = judge_framing(*gathered, request.minor_version);
  if (!body) return std::unexpected(body.error());
  request.fields = Fields(store.data(), gathered->fields);
  request.body = *body;
  request.keep_alive = stays(*gathered, request.minor_version);
  return request;
}

std::expected<ResponseHeadView, Refusal> read_response_head(std::string_view head,
                                                            std::string_view request_method,
                                                            FieldStore& store) {
  const char* at = head.data();
  const char* const end = at + head.size();
  ResponseHeadView response;
  if (auto line = read_status_line(at, end, response); !line) return std::unexpected(line.error());
  if (response.status == 101) return refuse(400, "status 101 without an Upgrade");
  auto gathered = read_fields(at, end, store);
  if (!gathered) return std::unexpected(gathered.error());
  auto body = judge_framing(*gathered, response.minor_version);
  if (!body) return std::unexpected(body.error());
  response.fields = Fields(store.data(), gathered->fields);
  response.body = *body;
  response.keep_alive = stays(*gathered, response.minor_version);
  bool promises_body = body->kind == BodyKind::chunked || body->length > 0;
  if (response.status < 200 && promises_body) return refuse(400, "an interim answer with a body");
  if (has_no_body(response.status, request_method)) {
    response.body = BodyFraming{};
  } else if (body->kind == BodyKind::none) {
    response.body.kind = BodyKind::until_close;
    response.keep_alive = false;
  }
  return response;
}

}  // namespace relay::http
