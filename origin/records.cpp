#include "origin/records.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstring>

#include "common/base/check.hpp"

namespace relay::origin {
namespace {

static_assert(std::endian::native == std::endian::little, "records are little-endian");

constexpr char form_1 = 1;
constexpr std::size_t object_bytes = 32, key_bytes = 3 * 8;

template <class Value>
void append(std::string& bytes, Value value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class Value>
Value take(std::string_view& bytes) {
  Value value;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

WallTime take_time(std::string_view& bytes) {
  return WallTime(std::chrono::milliseconds(take<std::int64_t>(bytes)));
}

std::unexpected<Error> broken_record() {
  return fail(ErrorKind::corrupt, ErrorSource::disk, "the catalog holds a broken record");
}

/// Checks the form byte and the least length, and takes the form byte off.
Result<void> open_record(std::string_view& bytes, std::size_t least) {
  if (bytes.size() < 1 + least || bytes[0] != form_1) return broken_record();
  bytes.remove_prefix(1);
  return {};
}

}  // namespace

std::string asset_key(std::string_view tenant, std::string_view asset) {
  std::string key(tenant);
  return key.append("/").append(asset);
}

std::string version_key(std::string_view tenant, std::string_view asset, std::string_view version) {
  return asset_key(tenant, asset).append("/").append(version);
}

std::string object_key(std::string_view tenant, std::string_view asset, std::string_view version,
                       std::string_view path) {
  return version_key(tenant, asset, version).append("/").append(path);
}

std::string segment_key(const media::Job& job, std::string_view rendition, std::int64_t number) {
  return object_key(job.tenant, job.asset, job.version, rendition) +
         fmt::format("/{:016x}", number);
}

std::int64_t segment_number(std::string_view last_part) {
  std::int64_t number = -1;
  std::from_chars(last_part.data(), last_part.data() + last_part.size(), number, 16);
  return number;
}

std::string sequence_key(std::uint64_t sequence) {
  std::string key;
  append(key, __builtin_bswap64(sequence));
  return key;
}

std::uint64_t sequence_of(std::string_view key) {
  RELAY_CHECK(key.size() == sizeof(std::uint64_t));
  return __builtin_bswap64(take<std::uint64_t>(key));
}

std::string to_bytes(const ObjectRecord& record) {
  std::string bytes(1, form_1);
  append(bytes, record.bytes);
  append(bytes, record.digest.high);
  append(bytes, record.digest.low);
  append(bytes, static_cast<std::int64_t>(record.modified.time_since_epoch().count()));
  for (const media::KeyPicture& key : record.keys) {
    append(bytes, key.offset);
    append(bytes, key.bytes);
    append(bytes, key.microseconds);
  }
  return bytes;
}

Result<ObjectRecord> object_from_bytes(std::string_view bytes) {
  if (auto opened = open_record(bytes, object_bytes); !opened)
    return std::unexpected(opened.error());
  ObjectRecord record;
  record.bytes = take<std::uint64_t>(bytes);
  record.digest.high = take<std::uint64_t>(bytes);
  record.digest.low = take<std::uint64_t>(bytes);
  record.modified = take_time(bytes);
  while (bytes.size() >= key_bytes) {
    media::KeyPicture& key = record.keys.emplace_back();
    key.offset = take<std::uint64_t>(bytes);
    key.bytes = take<std::uint64_t>(bytes);
    key.microseconds = take<std::int64_t>(bytes);
  }
  if (!bytes.empty()) return broken_record();
  return record;
}

std::string to_bytes(const PlaylistRecord& record) {
  std::string bytes(1, form_1);
  append(bytes, static_cast<std::int64_t>(record.modified.time_since_epoch().count()));
  append(bytes, static_cast<std::uint8_t>(record.ended));
  return bytes.append(record.text);
}

Result<PlaylistRecord> playlist_from_bytes(std::string_view bytes) {
  if (auto opened = open_record(bytes, 9); !opened) return std::unexpected(opened.error());
  PlaylistRecord record;
  record.modified = take_time(bytes);
  record.ended = take<std::uint8_t>(bytes) != 0;
  record.text = std::string(bytes);
  return record;
}

std::string to_bytes(const VersionRecord& record) {
  std::string bytes(1, form_1);
  append(bytes, static_cast<std::uint8_t>(record.state));
  append(bytes, record.source_bytes);
  bytes += record.source_sha256 + '\n';
  if (record.result.ready) bytes += media::to_json(record.result);
  return bytes;
}

Result<VersionRecord> version_from_bytes(std::string_view bytes) {
  if (auto opened = open_record(bytes, 9); !opened) return std::unexpected(opened.error());
  VersionRecord record;
  record.state = static_cast<VersionState>(take<std::uint8_t>(bytes));
  record.source_bytes = take<std::uint64_t>(bytes);
  // Earlier ones end here.
  std::size_t line = std::min(bytes.find('\n'), bytes.size());
  record.source_sha256 = bytes.substr(0, line);
  if (line + 1 >= bytes.size()) return record;
  auto result = media::result_from_json(bytes.substr(line + 1));
  if (!result) return std::unexpected(result.error());
  record.result = std::move(*result);
  return record;
}

std::string to_bytes(const live::ChannelRecord& record) {
  return std::string(1, form_1) + record.key_sha256 + '\n' +
         live::to_json(record.rules, record.window) + '\n' + media::to_json(record.job);
}

Result<live::ChannelRecord> channel_from_bytes(std::string_view bytes) {
  if (auto opened = open_record(bytes, 1); !opened) return std::unexpected(opened.error());
  std::size_t line = std::min(bytes.find('\n'), bytes.size() - 1);
  std::string key(bytes.substr(0, line));
  bytes.remove_prefix(line + 1);
  // There were no rules once.
  std::size_t rules_end = bytes.find('\n');
  auto kept = rules_end == bytes.npos ? live::KeptRules{}
                                      : live::channel_rules_from_json(bytes.substr(0, rules_end));
  if (!kept) return std::unexpected(kept.error());
  auto job = media::job_from_json(bytes.substr(rules_end == bytes.npos ? 0 : rules_end + 1));
  if (!job) return std::unexpected(job.error());
  return live::ChannelRecord{std::move(*job), std::move(key), kept->rules, kept->window};
}

}  // namespace relay::origin
