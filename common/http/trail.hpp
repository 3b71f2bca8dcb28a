// What a message carries of its way: Cache-Status (RFC 9211), Via (RFC 9110 7.6.3), CDN-Loop
// (RFC 8586), and what must not travel on (RFC 9110 7.6.1). Every hop appends, none replaces. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/http/date.hpp"
#include "common/http/message.hpp"

namespace relay::http {

/// Why a request went on (RFC 9211 2.2); none for a hit.
enum class Forward { none, bypass, method, uri_miss, vary_miss, miss, request, stale, partial };

std::string_view name(Forward forward);  // "uri-miss"

/// One hop's entry. Views must outlive the call that writes it.
struct CacheStatus {
  std::string_view cache;  // this cache's name
  bool hit = false;
  Forward forward = Forward::none;
  std::optional<int> forward_status;
  bool stored = false;
  bool collapsed = false;
  std::optional<Seconds> ttl;  // may be negative
  std::string_view key;        // left out when empty
  std::string_view detail;     // left out when empty
};

/// `edge-1; hit; ttl=30`
void append_to(std::string& text, const CacheStatus& entry);
std::string write(const CacheStatus& entry);

/// Puts the entry behind those that the response already has, as one field.
void append_cache_status(Headers& response, const CacheStatus& entry);

/// "Via: ..., 1.1 edge-1".
void append_via(Headers& message, int minor_version, std::string_view name);

/// "CDN-Loop: ..., edge-1".
void append_cdn_loop(Headers& request, std::string_view name);
/// How many hops the request has made through CDNs.
std::size_t cdn_loop_count(Fields request);
/// Whether it came through this one.
bool cdn_loop_has(Fields request, std::string_view name);

/// How many hops a request may go on (Max-Forwards, RFC 9110 7.6.2), where a cache has to count
/// them: with OPTIONS and TRACE. Nothing when it does not say.
std::optional<std::uint64_t> forwards_left(std::string_view method, Fields request);

/// Fields of one connection only, whatever Connection says. Content-Length is not one.
bool is_hop_by_hop(std::string_view name);
/// Whether a Connection field names it. Fields that concern every hop (Host, Content-Length,
/// Cache-Control, Via, CDN-Loop ...) cannot be taken away by naming them there.
bool listed_in_connection(Fields fields, std::string_view name);
/// What may be forwarded or stored: neither hop-by-hop nor listed.
Headers end_to_end(Fields fields);

}  // namespace relay::http
