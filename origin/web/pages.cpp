#include "origin/web/pages.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "common/base/check.hpp"
#include "common/base/hash.hpp"
#include "common/http/conditional.hpp"
#include "common/http/negotiate.hpp"
#include "origin/web/embedded.hpp"

namespace relay::origin::web {
namespace {

constexpr std::string_view static_prefix = "/static/";
constexpr std::string_view watch_prefix = "/watch/";
constexpr std::string_view desk_prefix = "/desk/";

// hls.js runs its worker from a blob and feeds the video element through one; a caption track of
// its begins as an empty data: document.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob: data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; "
    "form-action 'none'";

struct Page {
  std::string body;
  std::string entity_tag;
};

std::string quoted(std::string_view text) {
  return '"' + to_hex(digest128(text)) + '"';
}

std::string hash_of_static_files() {
  DigestStream digest;
  for (const EmbeddedFile& file : static_files()) {
    digest.update(file.name);
    digest.update(file.bytes);
  }
  return to_hex(digest.digest());
}

const std::string& static_hash() {
  static const std::string hash = hash_of_static_files();
  return hash;
}

Page from_template(std::string_view text) {
  constexpr std::string_view mark = "{{static}}";
  std::string folder = std::string(static_prefix) + static_hash();
  std::string body(text);
  for (std::size_t at = 0; (at = body.find(mark, at)) != std::string::npos; at += folder.size())
    body.replace(at, mark.size(), folder);
  std::string tag = quoted(body);
  return {std::move(body), std::move(tag)};
}

/// "{prefix}{tenant}/{asset}": two names, neither empty.
bool names_an_asset(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  std::string_view rest = path.substr(prefix.size());
  std::size_t slash = rest.find('/');
  return slash != 0 && slash != std::string_view::npos && slash + 1 < rest.size() &&
         rest.find('/', slash + 1) == std::string_view::npos;
}

bool has_this_already(const http::RequestHead& head, std::string_view entity_tag) {
  http::Validators current{.etag = entity_tag, .last_modified = {}};
  return http::evaluate(head.fields, head.method, current) == http::Precondition::not_modified;
}

http::Response with_common_fields(int status, std::string_view content_type,
                                  std::string_view cache_control) {
  http::Response response{.status = status, .headers = {}, .body = {}};
  response.headers.add("Content-Type", content_type);
  response.headers.add("Cache-Control", cache_control);
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.add("Referrer-Policy", "no-referrer");
  return response;
}

http::Response html(int status, std::string_view cache_control, bool may_be_framed) {
  auto response = with_common_fields(status, "text/html; charset=utf-8", cache_control);
  std::string policy(content_security_policy);
  if (!may_be_framed) policy += "; frame-ancestors 'none'";
  response.headers.add("Content-Security-Policy", policy);
  return response;
}

http::Response document(const http::RequestHead& head, const Page& page, bool may_be_framed) {
  bool known = has_this_already(head, page.entity_tag);
  auto response = html(known ? 304 : 200, "public, max-age=60, must-revalidate", may_be_framed);
  response.headers.add("ETag", page.entity_tag);
  if (!known) response.body = page.body;
  return response;
}

/// The watch page under a title that says so: it goes on looking, and plays what comes.
http::Response nothing_to_watch(const Page& watch) {
  auto response = html(404, "public, max-age=1", true);
  constexpr std::string_view mark = "<title>";
  response.body = watch.body;
  std::size_t at = response.body.find(mark);
  RELAY_CHECK(at != std::string::npos);
  response.body.insert(at + mark.size(), "There is nothing at this address – ");
  return response;
}

http::Response not_here() {
  auto response = with_common_fields(404, "text/plain; charset=utf-8", "no-store");
  response.body = "This file belongs to another release of the pages; reload the page.\n";
  return response;
}

/// `rest` is "{hash}/{file}". Bytes and compressed bytes have tags of their own (RFC 9110 8.8.3.3).
http::Response static_file(const http::RequestHead& head, std::string_view rest) {
  std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || rest.substr(0, slash) != static_hash()) return not_here();
  auto files = static_files();
  auto file = std::ranges::find(files, rest.substr(slash + 1), &EmbeddedFile::name);
  if (file == files.end()) return not_here();
  auto coding = http::choose_coding(http::find(head.fields, "Accept-Encoding"));
  bool compressed = coding == http::Coding::gzip;
  std::string tag = '"' + static_hash() + (compressed ? "-gzip\"" : "\"");
  bool known = has_this_already(head, tag);
  auto response = with_common_fields(known ? 304 : 200, file->content_type,
                                     "public, max-age=31536000, immutable");
  response.headers.add("Vary", "Accept-Encoding");
  response.headers.add("ETag", tag);
  if (known) return response;
  if (compressed) response.headers.add("Content-Encoding", "gzip");
  response.body = compressed ? file->gzip : file->bytes;
  return response;
}

}  // namespace

std::optional<http::Response> page(const http::RequestHead& head,
                                   const std::function<bool()>& has_asset) {
  static const Page console = from_template(console_template());
  static const Page watch = from_template(watch_template());
  static const Page desk = from_template(desk_template());
  if (head.method != "GET" && head.method != "HEAD") return std::nullopt;
  std::string_view path = head.target.substr(0, head.target.find('?'));
  if (path == "/") return document(head, console, false);
  if (path.starts_with(static_prefix)) return static_file(head, path.substr(static_prefix.size()));
  if (names_an_asset(path, watch_prefix))
    return has_asset() ? document(head, watch, true) : nothing_to_watch(watch);
  if (names_an_asset(path, desk_prefix)) return document(head, desk, false);
  return std::nullopt;
}

}  // namespace relay::origin::web
