#include "origin/downloads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "common/http/url.hpp"
#include "origin/cache_tags.hpp"
#include "origin/clip/playlists.hpp"
#include "origin/download_segment.hpp"
#include "origin/media_answers.hpp"
#include "origin/media_headers.hpp"

namespace relay::origin {
namespace {

constexpr std::size_t descriptors_kept_max = 4;

std::unexpected<Error> no_download(std::string message) {
  return fail(ErrorKind::not_found, ErrorSource::client, std::move(message));
}

/// The renditions that go into the file: a picture (or the sound, where there is none), its sound.
Result<std::vector<std::string>> chosen(const media::MultivariantPlaylist& playlist,
                                        const std::string& wanted) {
  const media::Variant* best = nullptr;
  for (const media::Variant& each : playlist.variants) {
    std::string_view name = media::rendition_of(each.uri);
    if (!wanted.empty() && name != wanted) continue;
    auto rank = [](const media::Variant& of) { return std::pair(of.height, of.bandwidth); };
    if (!best || rank(each) > rank(*best)) best = &each;
  }
  if (!best) return no_download(fmt::format("there is no picture rendition '{}'", wanted));
  std::vector<std::string> names{std::string(media::rendition_of(best->uri))};
  for (const media::AudioRendition& audio : playlist.audios) {
    if (audio.group_id != best->audio_group || audio.uri.empty()) continue;
    names.emplace_back(media::rendition_of(audio.uri));
    break;
  }
  return names;
}

http::Headers headers_of(std::string_view asset, const std::string& entity_tag, WallTime modified,
                         std::string tags) {
  http::Headers headers;
  headers.add("Cache-Control", lifetime_immutable);
  headers.add("Cache-Tag", std::move(tags));
  headers.add("ETag", entity_tag);
  headers.add("Last-Modified", http::write_date(modified_at(modified)));
  headers.add("Accept-Ranges", "bytes");
  headers.add("Content-Disposition", fmt::format("attachment; filename=\"{}.mp4\"", asset));
  headers.add("Content-Type", "video/mp4");
  add_cross_origin(headers);
  return headers;
}

/// Files that pieces come from, each opened once as long as it is in use.
class OpenFiles {
 public:
  explicit OpenFiles(const std::vector<std::filesystem::path>& paths) : paths_(paths) {}

  Result<int> open(std::size_t file) {
    auto known = std::ranges::find(open_, file, &Open::first);
    if (known != open_.end()) return known->second.get();
    auto opened = store::open_read(paths_[file]);
    if (!opened) return std::unexpected(opened.error());
    if (open_.size() == descriptors_kept_max) open_.erase(open_.begin());
    open_.emplace_back(file, std::move(*opened));
    return open_.back().second.get();
  }

 private:
  using Open = std::pair<std::size_t, store::UniqueFd>;
  const std::vector<std::filesystem::path>& paths_;
  std::vector<Open> open_;
};

}  // namespace

net::Task<void> Downloads::answer(net::Exchange& exchange, media::MediaPath path) {
  std::string rendition;
  auto query = http::split_target(exchange.request().target).query;
  for (const http::Parameter& each : http::read_parameters(query))
    if (each.name == "rendition") rendition = each.value;
  auto asset = catalog_.asset(path.tenant, path.asset);
  auto file = co_await find(std::string(path.tenant), std::string(path.asset),
                            std::string(path.version), std::move(rendition));
  if (!asset) file = std::unexpected(asset.error());
  if (asset && !*asset) file = no_download("there is no such asset");
  if (!file) {
    co_await exchange.respond(problem_answer(file.error()));
    co_return;
  }
  http::Headers headers =
      headers_of(path.asset, (*file)->entity_tag, (*file)->modified, cache_tags(**asset));
  if (auto other = conditional_answer(exchange.request(), headers)) {
    co_await exchange.respond(std::move(*other));
    co_return;
  }
  std::uint64_t length = (*file)->plan.length;
  auto decision = asked_range(exchange.request(), headers, length);
  if (decision.kind == http::RangeKind::unsatisfiable) {
    co_await exchange.respond(unsatisfiable(length));
    co_return;
  }
  http::ResponseHead head{200, std::move(headers)};
  std::uint64_t first = 0;
  if (decision.kind == http::RangeKind::single) {  // several: the whole (RFC 9110 14.2 allows it)
    head.status = 206;
    head.headers.add("Content-Range", http::write_content_range(decision.range, length));
    first = decision.range.first;
    length = decision.range.length();
  }
  auto going = co_await exchange.begin(std::move(head), length);
  if (!going) co_return;
  if (exchange.request().method == "HEAD")
    co_await exchange.finish();
  else
    co_await send(exchange, **file, first, length);
}

net::Task<void> Downloads::send(net::Exchange& exchange, const DownloadFile& file,
                                std::uint64_t first, std::uint64_t length) {
  download::Slice slice = download::slice_of(file.plan, first, length);
  OpenFiles files(file.files);
  Result<void> going;
  if (!slice.head.empty()) going = co_await exchange.write(slice.head);
  for (const download::Piece& piece : slice.pieces) {
    if (!going) co_return;
    auto fd = files.open(piece.file);
    if (!fd) {
      log::warn("a segment went while it was downloaded", {log::kv("why", fd.error().message)});
      exchange.abort();
      co_return;
    }
    net::FilePiece bytes{*fd, piece.offset, piece.length};
    going = co_await exchange.write_files(std::span(&bytes, 1));
  }
  if (going) co_await exchange.finish();
}

net::Task<Result<Downloads::Shared>> Downloads::find(std::string tenant, std::string asset,
                                                     std::string version, std::string rendition) {
  std::string key = fmt::format("{}/{}/{}/{}", tenant, asset, version, rendition);
  // One that is remembered may have been deleted: the catalog decides.
  auto there = catalog_.version(tenant, asset, version);
  if (!there) co_return std::unexpected(there.error());
  if (!*there || (*there)->state == VersionState::dropped)
    co_return no_download("there is no such version");
  DownloadShelf::Make make_it = [this, tenant, asset, version, rendition] {
    return make(tenant, asset, version, rendition);
  };
  co_return co_await shelf_.find(std::move(key), std::move(make_it));
}

Result<Downloads::Shared> Downloads::make(const std::string& tenant, const std::string& asset,
                                          const std::string& version,
                                          const std::string& rendition) const {
  auto record = catalog_.playlist(tenant, asset, version, "");
  if (!record) return std::unexpected(record.error());
  if (!*record) return no_download("there is no such video");
  auto multivariant = media::read_multivariant_playlist((*record)->text);
  if (!multivariant) return std::unexpected(multivariant.error());
  auto names = chosen(*multivariant, rendition);
  if (!names) return std::unexpected(names.error());
  auto file = std::make_shared<DownloadFile>();
  std::vector<download::Track> tracks;
  for (const std::string& name : *names) {
    auto track = read_track(tenant, asset, version, name, *file);
    if (!track) return std::unexpected(track.error());
    tracks.push_back(std::move(*track));
  }
  auto shown = shown_of(tenant, asset, version);
  if (!shown) return std::unexpected(shown.error());
  auto plan = download::plan_file(std::move(tracks), *shown);
  if (!plan) return std::unexpected(plan.error());
  file->key = fmt::format("{}/{}/{}/{}", tenant, asset, version, rendition);
  file->plan = std::move(*plan);
  // The head has all sizes in it, and what a version's segments hold never changes.
  file->entity_tag = entity_tag(digest128(file->key + file->plan.head));
  file->modified = (*record)->modified;
  return file;
}

Result<download::Shown> Downloads::shown_of(const std::string& tenant, const std::string& asset,
                                            const std::string& version) const {
  auto found = catalog_.asset(tenant, asset);
  if (!found) return std::unexpected(found.error());
  if (!*found || !(*found)->clip) return download::Shown{};
  const ClipFacts& clip = *(*found)->clip;
  auto length_us = static_cast<std::uint64_t>(clip.end_us - clip.start_us);
  if (version == clip.rough_version)
    return download::Shown{static_cast<std::uint64_t>(clip.rough_lead_in_us), length_us};
  // What an earlier version was asked to be is not known any more, and its bytes must not change.
  if ((*found)->current_version != version) return no_download("this clip was replaced");
  if (clip.exactness == Exactness::exact) return download::Shown{};
  return download::Shown{static_cast<std::uint64_t>(clip.lead_in_us), length_us};
}

Result<download::Track> Downloads::read_track(const std::string& tenant, const std::string& asset,
                                              const std::string& version,
                                              const std::string& rendition,
                                              DownloadFile& file) const {
  auto record = catalog_.playlist(tenant, asset, version, rendition);
  if (!record) return std::unexpected(record.error());
  if (!*record || !(*record)->ended)
    return fail(ErrorKind::conflict, ErrorSource::client,
                "it can be downloaded as one file once it has ended");
  auto playlist = media::read_media_playlist((*record)->text);
  if (!playlist) return std::unexpected(playlist.error());
  auto stored = [&](std::string_view uri) {
    auto place = clip::place_of(asset, version, rendition, uri);
    return store_.media_path(tenant, place.asset, place.version, place.object);
  };
  download::Track track;
  auto add_init = [&](std::string_view uri) -> Result<void> {
    auto bytes = store::read_file(stored(uri));
    if (!bytes) return std::unexpected(bytes.error());
    track.inits.push_back(std::move(*bytes));
    return {};
  };
  std::size_t samples = 0, counted = 0;  // of the chunks so far
  auto added = add_init(playlist->map_uri);
  for (const media::MediaSegment& segment : playlist->segments) {
    if (added && !segment.map_uri.empty()) added = add_init(segment.map_uri);
    if (!added) return std::unexpected(added.error());
    if (segment.gap) continue;
    auto path = stored(segment.uri);
    auto read = add_segment(path, file.files.size(), track);
    if (!read) return std::unexpected(read.error());
    for (; counted < track.chunks.size(); ++counted)
      samples += track.chunks[counted].fragment.samples.size();
    if (samples > download::samples_max) return download::too_long();
    file.files.push_back(std::move(path));
  }
  if (!added) return std::unexpected(added.error());
  return track;
}

}  // namespace relay::origin
