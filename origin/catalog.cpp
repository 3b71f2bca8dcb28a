#include "origin/catalog.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>

namespace relay::origin {
namespace {

constexpr std::uint64_t map_size_bytes = 16ull << 30;  // address space; the file grows as needed
constexpr std::string_view format_now = "1";

bool contains_folded(std::string_view text, std::string_view part) {
  auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return !std::ranges::search(text, part, same).empty() || part.empty();
}

bool matches(const Asset& asset, const AssetFilter& filter) {
  if (filter.kind && asset.kind != *filter.kind) return false;
  if (!filter.tag.empty() && std::ranges::find(asset.tags, filter.tag) == asset.tags.end()) {
    return false;
  }
  return contains_folded(asset.name, filter.text) || contains_folded(asset.title, filter.text);
}

/// Reads one record and its form.
template <class Record>
Result<std::optional<Record>> look_up(const store::ReadTxn& txn, store::Table table,
                                      std::string_view key,
                                      Result<Record> (*read)(std::string_view)) {
  auto bytes = txn.get(table, key);
  if (!bytes) return std::unexpected(bytes.error());
  if (!*bytes) return std::nullopt;
  auto record = read(**bytes);
  if (!record) return std::unexpected(record.error());
  return std::move(*record);
}

template <class Record>
Result<std::optional<Record>> look_up(const store::Env& env, store::Table table,
                                      std::string_view key,
                                      Result<Record> (*read)(std::string_view)) {
  auto txn = env.read();
  if (!txn) return std::unexpected(txn.error());
  return look_up(*txn, table, key, read);
}

/// Calls see(key, value) for each record from `first` on whose key begins with `prefix`, until it
/// returns false or an error.
template <class See>
Result<void> walk(const store::Env& env, store::Table table, std::string_view prefix,
                  std::string_view first, See see) {
  auto txn = env.read();
  if (!txn) return std::unexpected(txn.error());
  auto cursor = store::Cursor::open(*txn, table);
  if (!cursor) return std::unexpected(cursor.error());
  auto found = cursor->seek(first);
  while (found && *found && cursor->key().starts_with(prefix)) {
    Result<bool> more = see(cursor->key(), cursor->value());
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    found = cursor->next();
  }
  if (!found) return std::unexpected(found.error());
  return {};
}

Result<void> check_format(store::Env& env, store::Table meta) {
  auto txn = env.write();
  if (!txn) return std::unexpected(txn.error());
  auto format = txn->get(meta, "format");
  if (!format) return std::unexpected(format.error());
  if (!*format) {
    if (auto put = txn->put(meta, "format", format_now); !put) return put;
    return txn->commit();
  }
  if (**format != format_now) {
    return fail(ErrorKind::corrupt, ErrorSource::disk,
                "the catalog has form " + std::string(**format) +
                    ", which a newer release wrote; this release reads form 1");
  }
  return {};
}

/// Of the job that the asset waits for; nullopt: for none.
std::optional<media::JobKind> unfinished_kind(const Asset& asset) {
  if (is_growing(asset)) return std::nullopt;
  if (asset.clip && asset.clip->exactness == Exactness::pending) return media::JobKind::edges;
  if (asset.state != AssetState::queued && asset.state != AssetState::processing)
    return std::nullopt;
  return asset.kind == AssetKind::video ? media::JobKind::video : media::JobKind::photo;
}

Event event_of(std::string_view key, std::string_view value) {
  std::size_t first = value.find('\n'), second = value.find('\n', first + 1);
  return Event{sequence_of(key), std::string(value.substr(0, first)),
               std::string(value.substr(first + 1, second - first - 1)),
               std::string(value.substr(second + 1))};
}

}  // namespace

Result<std::unique_ptr<Catalog>> Catalog::open(const std::filesystem::path& folder) {
  auto env = store::Env::open(folder, {.map_size_bytes = map_size_bytes});
  if (!env) return std::unexpected(env.error());
  Tables tables;
  std::pair<const char*, store::Table*> names[] = {
      {"assets", &tables.assets},       {"versions", &tables.versions},
      {"playlists", &tables.playlists}, {"objects", &tables.objects},
      {"events", &tables.events},       {"meta", &tables.meta},
      {"channels", &tables.channels},   {"segments", &tables.segments},
      {"clips", &tables.clips},         {"holds", &tables.holds}};
  for (auto& [name, table] : names) {
    auto opened = env->table(name);
    if (!opened) return std::unexpected(opened.error());
    *table = *opened;
  }
  if (auto format = check_format(*env, tables.meta); !format) {
    return std::unexpected(format.error());
  }
  std::unique_ptr<Catalog> catalog(new Catalog(std::move(*env), tables));
  auto see = [&](std::string_view key, std::string_view) -> Result<bool> {
    catalog->last_sequence_ = sequence_of(key);
    return true;
  };
  if (auto walked = walk(catalog->env_, tables.events, "", "", see); !walked) {
    return std::unexpected(walked.error());
  }
  return catalog;
}

Result<std::optional<Asset>> Catalog::asset(std::string_view tenant, std::string_view name) const {
  return look_up(env_, tables_.assets, asset_key(tenant, name), asset_from_stored);
}

Result<AssetPage> Catalog::list(std::string_view tenant, const AssetFilter& filter,
                                std::string_view cursor, std::size_t most) const {
  AssetPage page;
  std::string prefix = asset_key(tenant, "");
  auto see = [&](std::string_view, std::string_view value) -> Result<bool> {
    auto asset = asset_from_stored(value);
    if (!asset) return std::unexpected(asset.error());
    if (asset->name == cursor || !matches(*asset, filter)) return true;
    if (page.assets.size() == most) {
      page.next_cursor = page.assets.back().name;
      return false;
    }
    page.assets.push_back(std::move(*asset));
    return true;
  };
  auto walked = walk(env_, tables_.assets, prefix, asset_key(tenant, cursor), see);
  if (!walked) return std::unexpected(walked.error());
  return page;
}

Result<std::optional<VersionRecord>> Catalog::version(std::string_view tenant,
                                                      std::string_view asset,
                                                      std::string_view version) const {
  return look_up(env_, tables_.versions, version_key(tenant, asset, version), version_from_bytes);
}

Result<std::optional<PlaylistRecord>> Catalog::playlist(std::string_view tenant,
                                                        std::string_view asset,
                                                        std::string_view version,
                                                        std::string_view rendition) const {
  return look_up(env_, tables_.playlists, object_key(tenant, asset, version, rendition),
                 playlist_from_bytes);
}

Result<std::vector<media::PublishedRendition>> Catalog::playlists(std::string_view tenant,
                                                                  std::string_view asset,
                                                                  std::string_view version) const {
  std::vector<media::PublishedRendition> published;
  std::string prefix = object_key(tenant, asset, version, "");
  auto see = [&](std::string_view key, std::string_view value) -> Result<bool> {
    auto record = playlist_from_bytes(value);
    if (!record) return std::unexpected(record.error());
    std::string_view rendition = key.substr(prefix.size());
    if (!rendition.empty()) published.push_back({std::string(rendition), std::move(record->text)});
    return true;
  };
  auto walked = walk(env_, tables_.playlists, prefix, prefix, see);
  if (!walked) return std::unexpected(walked.error());
  return published;
}

Result<std::optional<ObjectRecord>> Catalog::object(std::string_view tenant, std::string_view asset,
                                                    std::string_view version,
                                                    std::string_view path) const {
  return look_up(env_, tables_.objects, object_key(tenant, asset, version, path),
                 object_from_bytes);
}

Result<std::vector<std::optional<ObjectRecord>>> Catalog::objects(
    std::string_view tenant, const std::vector<clip::Place>& places) const {
  auto txn = env_.read();
  if (!txn) return std::unexpected(txn.error());
  std::vector<std::optional<ObjectRecord>> records;
  for (const clip::Place& each : places) {
    auto record =
        look_up(*txn, tables_.objects, object_key(tenant, each.asset, each.version, each.object),
                object_from_bytes);
    if (!record) return std::unexpected(record.error());
    records.push_back(std::move(*record));
  }
  return records;
}

Result<std::vector<Asset>> Catalog::growing_clips() const {
  std::vector<Asset> clips;
  auto see = [&](std::string_view, std::string_view value) -> Result<bool> {
    auto asset = asset_from_stored(value);
    if (!asset) return std::unexpected(asset.error());
    if (is_growing(*asset)) clips.push_back(std::move(*asset));
    return true;
  };
  auto walked = walk(env_, tables_.assets, "", "", see);
  if (!walked) return std::unexpected(walked.error());
  return clips;
}

Result<std::vector<media::Job>> Catalog::unfinished() const {
  std::vector<media::Job> jobs;
  auto see = [&](std::string_view, std::string_view value) -> Result<bool> {
    auto asset = asset_from_stored(value);
    if (!asset) return std::unexpected(asset.error());
    if (auto kind = unfinished_kind(*asset))
      jobs.push_back({*kind, asset->tenant, asset->name, asset->newest_version, asset->bytes});
    return true;
  };
  auto walked = walk(env_, tables_.assets, "", "", see);
  if (!walked) return std::unexpected(walked.error());
  std::ranges::sort(jobs, {}, &media::Job::version);  // which sorts by age
  return jobs;
}

std::optional<media::Progress> Catalog::progress(std::string_view tenant,
                                                 std::string_view asset) const {
  std::lock_guard lock(progress_mutex_);
  auto at = progress_.find(asset_key(tenant, asset));
  if (at == progress_.end()) return std::nullopt;
  return at->second;
}

Result<std::vector<Event>> Catalog::events_after(std::string_view tenant,
                                                 std::uint64_t sequence) const {
  std::vector<Event> events;
  auto see = [&](std::string_view key, std::string_view value) -> Result<bool> {
    Event event = event_of(key, value);
    if (event.tenant == tenant) events.push_back(std::move(event));
    return true;
  };
  auto walked = walk(env_, tables_.events, "", sequence_key(sequence + 1), see);
  if (!walked) return std::unexpected(walked.error());
  return events;
}

Result<bool> Catalog::log_reaches(std::uint64_t sequence) const {
  std::uint64_t oldest = 0;
  auto see = [&](std::string_view key, std::string_view) -> Result<bool> {
    oldest = sequence_of(key);
    return false;
  };
  auto walked = walk(env_, tables_.events, "", "", see);
  if (!walked) return std::unexpected(walked.error());
  return sequence <= last_sequence_ && (oldest == 0 || oldest <= sequence + 1);
}

Result<std::vector<live::ChannelRecord>> Catalog::channels() const {
  std::vector<live::ChannelRecord> channels;
  auto see = [&](std::string_view, std::string_view value) -> Result<bool> {
    auto record = channel_from_bytes(value);
    if (!record) return std::unexpected(record.error());
    channels.push_back(std::move(*record));
    return true;
  };
  auto walked = walk(env_, tables_.channels, "", "", see);
  if (!walked) return std::unexpected(walked.error());
  return channels;
}

Result<std::map<std::string, std::vector<live::Segment>>> Catalog::segments(
    const media::Job& job) const {
  std::map<std::string, std::vector<live::Segment>> by_rendition;
  std::string prefix = object_key(job.tenant, job.asset, job.version, "");
  auto see = [&](std::string_view key, std::string_view value) -> Result<bool> {
    key.remove_prefix(prefix.size());
    std::size_t slash = key.find('/');
    auto segment = live::segment_from_bytes(segment_number(key.substr(slash + 1)), value);
    if (!segment) return std::unexpected(segment.error());
    by_rendition[std::string(key.substr(0, slash))].push_back(std::move(*segment));
    return true;
  };
  auto walked = walk(env_, tables_.segments, prefix, prefix, see);
  if (!walked) return std::unexpected(walked.error());
  return by_rendition;
}

Result<std::vector<std::int64_t>> Catalog::segments_outside(
    const media::Job& job, const std::string& rendition,
    const media::MediaPlaylist& playlist) const {
  std::vector<std::int64_t> numbers;
  std::string prefix = object_key(job.tenant, job.asset, job.version, rendition) + "/";
  std::int64_t first = playlist.media_sequence;
  auto end = first + static_cast<std::int64_t>(playlist.segments.size());
  auto see = [&](std::string_view key, std::string_view) -> Result<bool> {
    std::int64_t number = segment_number(key.substr(prefix.size()));
    if (number >= first && number < end) return false;
    numbers.push_back(number);
    return true;
  };
  for (std::int64_t from : {std::int64_t{0}, end}) {
    auto walked = walk(env_, tables_.segments, prefix, segment_key(job, rendition, from), see);
    if (!walked) return std::unexpected(walked.error());
  }
  return numbers;
}

Result<void> Catalog::add_left_behind(const Asset& asset, std::vector<LeftBehind>& all) const {
  media::Job job{.tenant = asset.tenant, .asset = asset.name, .version = asset.current_version};
  auto recording = playlists(job.tenant, job.asset, job.version);
  if (!recording) return std::unexpected(recording.error());
  for (const media::PublishedRendition& each : *recording) {
    auto playlist = media::read_media_playlist(each.playlist);
    if (!playlist) return std::unexpected(playlist.error());
    auto numbers = segments_outside(job, each.name, *playlist);
    if (!numbers) return std::unexpected(numbers.error());
    if (numbers->empty()) continue;
    all.push_back(
        {job, each.name, std::move(*numbers), std::chrono::milliseconds(asset.duration_ms)});
  }
  return {};
}

Result<std::vector<LeftBehind>> Catalog::left_behind() const {
  std::vector<Asset> ended;
  auto see = [&](std::string_view, std::string_view value) -> Result<bool> {
    auto asset = asset_from_stored(value);
    if (!asset) return std::unexpected(asset.error());
    if (asset->kind == AssetKind::channel && asset->state == AssetState::ready)
      ended.push_back(std::move(*asset));
    return true;
  };
  auto walked = walk(env_, tables_.assets, "", "", see);
  if (!walked) return std::unexpected(walked.error());
  std::vector<LeftBehind> all;
  for (const Asset& asset : ended) {
    if (auto added = add_left_behind(asset, all); !added) return std::unexpected(added.error());
  }
  return all;
}

boost::json::object Catalog::document(const Asset& asset) const {
  return to_public(asset, progress(asset.tenant, asset.name));
}

}  // namespace relay::origin
