// How the catalog spells its keys and its small records: the one place shared by the code that
// reads and the code that writes. Pure. Records begin with the byte of their form, so that a later
// form can be told from this one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/hash.hpp"
#include "common/media/job.hpp"
#include "common/media/key_picture.hpp"
#include "origin/live/keeper.hpp"

namespace relay::origin {

/// An object of a version: a segment, an init, a photo rendition.
struct ObjectRecord {
  std::uint64_t bytes = 0;
  Digest128 digest;
  WallTime modified{};
  std::vector<media::KeyPicture> keys = {};  // of a video segment; empty: unknown, or it is none
};

/// A playlist's text as viewers get it.
struct PlaylistRecord {
  std::string text;
  WallTime modified{};
  bool ended = false;  // it will never change again
};

// Stored by their numbers: new ones come last.
enum class VersionState {
  open,
  ready,
  failed,
  dropped,  // of a clip: nobody is shown it any more, but others hold pieces of it
};

/// One transcode of an asset.
struct VersionRecord {
  VersionState state = VersionState::open;
  std::uint64_t source_bytes = 0;
  std::string source_sha256 = {};
  media::JobResult result = {};  // of a video or photo, once it is ready
};

/// Names have no "/" in them, so keys of one asset or version are neighbours.
std::string asset_key(std::string_view tenant, std::string_view asset);
std::string version_key(std::string_view tenant, std::string_view asset, std::string_view version);
/// `path` is relative to the version's folder: "v720/3.m4s"; of a playlist the rendition, or
/// empty for the multivariant playlist.
std::string object_key(std::string_view tenant, std::string_view asset, std::string_view version,
                       std::string_view path);
/// Of a segment of a channel; they sort by number.
std::string segment_key(const media::Job& job, std::string_view rendition, std::int64_t number);
/// Of the key's last part.
std::int64_t segment_number(std::string_view last_part);
/// Big-endian, so that keys sort as numbers.
std::string sequence_key(std::uint64_t sequence);
std::uint64_t sequence_of(std::string_view key);

std::string to_bytes(const ObjectRecord& record);
std::string to_bytes(const PlaylistRecord& record);
std::string to_bytes(const VersionRecord& record);
Result<ObjectRecord> object_from_bytes(std::string_view bytes);
Result<PlaylistRecord> playlist_from_bytes(std::string_view bytes);
Result<VersionRecord> version_from_bytes(std::string_view bytes);
std::string to_bytes(const live::ChannelRecord& record);
Result<live::ChannelRecord> channel_from_bytes(std::string_view bytes);

}  // namespace relay::origin
