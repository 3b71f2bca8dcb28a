#include "origin/media_headers.hpp"

namespace relay::origin {

void add_cross_origin(http::Headers& headers) {
  headers.add("Access-Control-Allow-Origin", "*");
  headers.add("Access-Control-Expose-Headers",
              "Age, Cache-Status, Content-Length, Content-Range, Date, ETag, Repr-Digest");
  headers.add("Timing-Allow-Origin", "*");
}

http::Response preflight() {
  http::Response response{204, {}, ""};
  response.headers.add("Allow", "GET, HEAD, OPTIONS");
  response.headers.add("Access-Control-Allow-Origin", "*");
  response.headers.add("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
  response.headers.add("Access-Control-Allow-Headers",
                       "Range, If-None-Match, If-Modified-Since, If-Range");
  response.headers.add("Access-Control-Max-Age", "86400");
  response.headers.add("Cache-Control", "public, max-age=86400");
  return response;
}

std::string entity_tag(const Digest128& digest, std::string_view form) {
  std::string tag = "\"" + to_hex(digest);
  if (!form.empty()) tag.append("-").append(form);
  return tag += '"';
}

http::DateTime modified_at(WallTime time) {
  return std::chrono::floor<http::Seconds>(time);
}

}  // namespace relay::origin
