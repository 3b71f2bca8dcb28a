#include "origin/delivery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "common/base/log.hpp"
#include "common/http/gzip.hpp"
#include "common/http/negotiate.hpp"
#include "common/http/problem.hpp"
#include "common/http/range.hpp"
#include "common/http/repr_digest.hpp"
#include "common/http/url.hpp"
#include "origin/cache_tags.hpp"
#include "origin/media_answers.hpp"
#include "origin/media_headers.hpp"

namespace relay::origin {
namespace {

std::unexpected<Error> missing(std::string message) {
  return fail(ErrorKind::not_found, ErrorSource::client, std::move(message));
}

http::Response not_allowed() {
  return http::method_not_allowed("GET, HEAD, OPTIONS",
                                  "media can be read only: GET, HEAD and OPTIONS");
}

http::Response playlist_answer(const http::RequestHead& request, const PlaylistRecord& playlist,
                               std::string_view lifetime, std::string tags) {
  http::Response response;
  http::Headers& headers = response.headers;
  bool packed =
      http::choose_coding(http::find(request.fields, "Accept-Encoding")) == http::Coding::gzip;
  response.body = packed ? http::gzip(playlist.text) : playlist.text;
  headers.add("Content-Type", "application/vnd.apple.mpegurl");
  headers.add("Cache-Control", lifetime);
  headers.add("Cache-Tag", std::move(tags));
  headers.add("ETag", entity_tag(digest128(playlist.text), packed ? "gzip" : ""));
  headers.add("Last-Modified", http::write_date(modified_at(playlist.modified)));
  headers.add("Vary", "Accept-Encoding");
  if (packed) headers.add("Content-Encoding", "gzip");
  headers.add("Repr-Digest", http::write_repr_digest(digest128(response.body)));
  add_cross_origin(headers);
  if (auto other = conditional_answer(request, headers)) return std::move(*other);
  return response;
}

net::Task<void> send_whole(net::Exchange& exchange, int fd, http::ResponseHead head,
                           std::uint64_t offset, std::uint64_t length) {
  bool head_only = exchange.request().method == "HEAD";
  auto going = co_await exchange.begin(std::move(head), length);
  if (going && !head_only && length > 0) {
    net::FilePiece piece{fd, offset, length};
    going = co_await exchange.write_files(std::span(&piece, 1));
  }
  if (going) co_await exchange.finish();
}

net::Task<void> send_several(net::Exchange& exchange, int fd, http::ResponseHead head,
                             std::uint64_t offset, std::vector<http::ByteRange> ranges,
                             std::string content_type, std::uint64_t length) {
  std::string boundary = to_hex(digest128(content_type + std::to_string(length)));
  head.headers.add("Content-Type", "multipart/byteranges; boundary=" + boundary);
  std::uint64_t total = http::multipart_length(boundary, content_type, ranges, length);
  auto going = co_await exchange.begin(std::move(head), total);
  for (const http::ByteRange& range : ranges) {
    if (!going) co_return;
    std::string part = http::multipart_head(boundary, content_type, range, length);
    going = co_await exchange.write(part);
    net::FilePiece piece{fd, offset + range.first, range.length()};
    if (going) going = co_await exchange.write_files(std::span(&piece, 1));
  }
  std::string end = http::multipart_end(boundary);
  if (going) going = co_await exchange.write(end);
  if (going) co_await exchange.finish();
}

/// Only what goes with a body that can be cut into ranges.
http::Headers file_headers(const ObjectRecord& record, std::string tags) {
  http::Headers headers;
  headers.add("Cache-Control", lifetime_immutable);
  headers.add("Cache-Tag", std::move(tags));
  headers.add("ETag", entity_tag(record.digest));
  headers.add("Last-Modified", http::write_date(modified_at(record.modified)));
  headers.add("Accept-Ranges", "bytes");
  headers.add("Repr-Digest", http::write_repr_digest(record.digest));
  add_cross_origin(headers);
  return headers;
}

/// An asset that has no playlist: a photo, or a video before its first segment. The watch page
/// reads the members to know which.
http::Response without_playlist(const Asset& asset) {
  bool failed = asset.state == AssetState::failed;
  std::string widths = fmt::format("[{}]", fmt::join(asset.photo_widths, ","));
  http::Response response =
      http::problem(404, failed ? asset.error : "there is no playlist at this address",
                    {{"kind", name(asset.kind)},
                     {"state", name(asset.state)},
                     {"widths", widths, false},
                     {"asset_title", asset.title}});
  response.headers.set("Cache-Control", lifetime_missing);
  add_cross_origin(response.headers);
  return response;
}

/// The version that a clip's job is making.
bool is_being_cut(const Asset& asset, std::string_view version) {
  return asset.clip && asset.clip->exactness == Exactness::pending &&
         version == asset.newest_version && version != asset.current_version;
}

std::string missing_width(const Asset& asset, int width) {
  std::string allowed;
  for (int each : asset.photo_widths) {
    allowed += fmt::format("{}w{}", allowed.empty() ? "" : ", ", each);
  }
  return fmt::format("this photo is not there as w{} in that format; its widths are {}", width,
                     allowed);
}

}  // namespace

bool Delivery::has_asset(std::string_view path) const {
  auto parsed = media::parse_media_path(path);
  if (!parsed) return false;
  auto asset = catalog_.asset(parsed->tenant, parsed->asset);
  return !asset || asset->has_value();
}

net::Task<void> Delivery::answer(net::Exchange& exchange, std::string path) const {
  const http::RequestHead& request = exchange.request();
  if (request.method == "OPTIONS") {
    co_await exchange.respond(preflight());
    co_return;
  }
  if (request.method != "GET" && request.method != "HEAD") {
    co_await exchange.respond(not_allowed());
    co_return;
  }
  auto parsed = media::parse_media_path(path);
  if (!parsed || parsed->kind == media::MediaKind::watch) {
    Error error{ErrorKind::not_found, ErrorSource::client, false, "there is nothing here"};
    co_await exchange.respond(problem_answer(error));
    co_return;
  }
  switch (parsed->kind) {
    case media::MediaKind::media_playlist:
    case media::MediaKind::i_frames:
      if (auto pictures = live_.pictures(*parsed)) {
        co_await answer_trick_play(exchange, *parsed, std::move(*pictures));
        break;
      }
      if (auto rendition = live_.find(*parsed);
          rendition && parsed->kind == media::MediaKind::media_playlist) {
        co_await answer_live_playlist(exchange, *parsed, std::move(rendition));
        break;
      }
      [[fallthrough]];
    case media::MediaKind::multivariant:
      co_await answer_playlist(exchange, *parsed);
      break;
    case media::MediaKind::part:
      co_await answer_part(exchange, *parsed);
      break;
    case media::MediaKind::download:
      co_await downloads_.answer(exchange, *parsed);
      break;
    case media::MediaKind::photo:
    case media::MediaKind::photo_any: {
      std::string accept = http::joined(request.fields, "Accept");
      auto photo = find_photo(*parsed, accept);
      co_await answer_file(exchange, std::move(photo));
      break;
    }
    default: {
      auto object = find_object(*parsed, path);
      co_await answer_file(exchange, std::move(object));
    }
  }
}

net::Task<void> Delivery::answer_playlist(net::Exchange& exchange, media::MediaPath path) const {
  auto playlist = find_playlist(path);
  if (!playlist) {
    auto asset = catalog_.asset(path.tenant, path.asset);
    bool known = path.kind == media::MediaKind::multivariant && asset && *asset;
    http::Response response = known ? without_playlist(**asset) : problem_answer(playlist.error());
    co_await exchange.respond(std::move(response));
    co_return;
  }
  auto response = playlist_answer(exchange.request(), playlist->record, playlist->lifetime,
                                  std::move(playlist->tags));
  co_await exchange.respond(std::move(response));
}

net::Task<void> Delivery::answer_live_playlist(net::Exchange& exchange, media::MediaPath path,
                                               std::shared_ptr<live::Rendition> rendition) const {
  std::string tags = tags_of(path).value_or("");
  std::string query(http::split_target(exchange.request().target).query);
  auto playlist = co_await LiveDelivery::playlist(std::move(rendition), std::move(query));
  http::Response response = playlist ? playlist_answer(exchange.request(), playlist->record,
                                                       playlist->lifetime, std::move(tags))
                                     : problem_answer(playlist.error());
  co_await exchange.respond(std::move(response));
}

net::Task<void> Delivery::answer_trick_play(net::Exchange& exchange, media::MediaPath path,
                                            LiveDelivery::Pictures pictures) const {
  std::int64_t a_segment = pictures.a_segment;
  std::string query(http::split_target(exchange.request().target).query);
  auto whole = co_await LiveDelivery::whole(std::move(pictures), std::move(query));
  if (!whole) {
    co_await exchange.respond(problem_answer(whole.error()));
    co_return;
  }
  auto playlist = *whole ? of_channel(path, std::move(**whole), a_segment) : find_playlist(path);
  http::Response response = playlist
                                ? playlist_answer(exchange.request(), playlist->record,
                                                  playlist->lifetime, std::move(playlist->tags))
                                : problem_answer(playlist.error());
  co_await exchange.respond(std::move(response));
}

net::Task<void> Delivery::answer_part(net::Exchange& exchange, media::MediaPath path) const {
  Result<File> file = missing("there is no such part");
  if (auto rendition = live_.find_with_parts(path)) {
    auto part = co_await live_.part(std::string(path.tenant), std::string(path.asset),
                                    std::move(rendition), path.number, path.part);
    if (part)
      file = File{std::move(part->path), part->record,
                  file_headers(part->record, tags_of(path).value_or("")),
                  std::string(media::content_type_of("0.m4s")), part->offset};
    else
      file = std::unexpected(part.error());
  }
  co_await answer_file(exchange, std::move(file));
}

Result<std::string> Delivery::tags_of(const media::MediaPath& path) const {
  auto asset = catalog_.asset(path.tenant, path.asset);
  if (!asset) return std::unexpected(asset.error());
  if (!*asset) return missing("there is no such asset");
  return cache_tags(**asset);
}

Result<Delivery::Playlist> Delivery::find_multivariant(const media::MediaPath& path) const {
  auto asset = catalog_.asset(path.tenant, path.asset);
  if (!asset) return std::unexpected(asset.error());
  if (!*asset || (*asset)->current_version.empty()) return missing("there is no such video");
  const std::string& version = (*asset)->current_version;
  auto record = catalog_.playlist(path.tenant, path.asset, version, "");
  if (!record) return std::unexpected(record.error());
  if (!*record) return missing("there is no such video");
  bool whole = (*asset)->state == AssetState::ready || version != (*asset)->newest_version;
  // The title may be changed at any time, so it is no part of what is stored.
  (*record)->text = media::with_title(std::move((*record)->text), (*asset)->title);
  (*record)->modified = std::max((*record)->modified, (*asset)->updated);
  return Playlist{std::move(**record), std::string(whole ? lifetime_switchable : lifetime_growing),
                  cache_tags(**asset)};
}

Result<Delivery::Playlist> Delivery::find_media_playlist(const media::MediaPath& path) const {
  auto asset = catalog_.asset(path.tenant, path.asset);
  if (!asset) return std::unexpected(asset.error());
  if (!*asset) return missing("there is no such asset");
  // While the job runs its playlist names the two ends only; the job's end replaces it. The asset
  // is read first, so that a playlist read after it is the one that stays.
  if (is_being_cut(**asset, path.version)) return missing("there is no such playlist yet");
  auto record = catalog_.playlist(path.tenant, path.asset, path.version, path.rendition);
  if (!record) return std::unexpected(record.error());
  if (!*record) return missing("there is no such playlist");
  std::string_view lifetime = (*record)->ended ? lifetime_ended : lifetime_growing;
  return Playlist{std::move(**record), std::string(lifetime), cache_tags(**asset)};
}

net::Task<void> Delivery::answer_file(net::Exchange& exchange, Result<File> file) const {
  if (!file) {
    co_await exchange.respond(problem_answer(file.error()));
    co_return;
  }
  if (auto other = conditional_answer(exchange.request(), file->headers)) {
    co_await exchange.respond(std::move(*other));
    co_return;
  }
  auto fd = store::open_read(file->path);
  if (!fd) {
    log::error("a catalogued file can't be read", {log::kv("why", fd.error().message)});
    co_await exchange.respond(http::problem(500, "a stored file can't be read"));
    co_return;
  }
  std::uint64_t length = file->record.bytes;
  http::RangeDecision decision = asked_range(exchange.request(), file->headers, length);
  http::ResponseHead head{200, std::move(file->headers)};
  if (decision.kind == http::RangeKind::unsatisfiable) {
    co_await exchange.respond(unsatisfiable(length));
    co_return;
  }
  if (decision.kind == http::RangeKind::several) {
    head.status = 206;
    co_await send_several(exchange, fd->get(), std::move(head), file->offset,
                          std::move(decision.ranges), std::move(file->content_type), length);
    co_return;
  }
  head.headers.add("Content-Type", file->content_type);
  if (decision.kind == http::RangeKind::single) {
    head.status = 206;
    head.headers.add("Content-Range", http::write_content_range(decision.range, length));
    length = decision.range.length();
  }
  co_await send_whole(exchange, fd->get(), std::move(head), file->offset + decision.range.first,
                      length);
}

Result<Delivery::File> Delivery::find_object(const media::MediaPath& path,
                                             std::string_view full_path) const {
  std::string prefix = media::version_prefix(path.tenant, path.asset, path.version);
  std::string_view object = full_path.substr(prefix.size());
  auto record = catalog_.object(path.tenant, path.asset, path.version, object);
  if (!record) return std::unexpected(record.error());
  if (!*record) return missing("there is no such segment");
  auto tags = tags_of(path);
  if (!tags) return std::unexpected(tags.error());
  return File{store_.media_path(path.tenant, path.asset, path.version, object), **record,
              file_headers(**record, std::move(*tags)),
              std::string(media::content_type_of(object))};
}

Result<Delivery::File> Delivery::find_photo(const media::MediaPath& path,
                                            std::string_view accept) const {
  auto asset = catalog_.asset(path.tenant, path.asset);
  if (!asset) return std::unexpected(asset.error());
  bool published =
      *asset && (*asset)->kind == AssetKind::photo && !(*asset)->current_version.empty();
  if (!published) return missing("there is no such photo");
  const std::string& version = (*asset)->current_version;
  std::vector<http::PhotoFormat> offered;
  std::map<std::string, ObjectRecord, std::less<>> records;
  for (auto format : {http::PhotoFormat::jpg, http::PhotoFormat::webp, http::PhotoFormat::avif}) {
    std::string_view extension = http::extension(format);
    if (path.kind == media::MediaKind::photo && extension != path.extension) continue;
    std::string object = fmt::format("w{}.{}", path.width, extension);
    auto record = catalog_.object(path.tenant, path.asset, version, object);
    if (!record) return std::unexpected(record.error());
    if (!*record) continue;
    offered.push_back(format);
    records.emplace(extension, **record);
  }
  if (offered.empty()) return missing(missing_width(**asset, path.width));
  bool negotiated = path.kind == media::MediaKind::photo_any;
  auto format = negotiated ? http::choose_photo_format(accept, offered) : offered.front();
  auto found = records.find(http::extension(format));
  if (found == records.end()) found = records.begin();
  std::string object = fmt::format("w{}.{}", path.width, found->first);
  File file{store_.media_path(path.tenant, path.asset, version, object), found->second,
            file_headers(found->second, cache_tags(**asset)),
            std::string(media::content_type_of(object))};
  if (negotiated) {
    file.headers.add("Vary", "Accept");
    file.headers.add("Content-Location",
                     media::photo_path(path.tenant, path.asset, path.width, found->first));
  }
  return file;
}

}  // namespace relay::origin
