// Keeps what channels must not forget: records in the catalog, segments in the store.
#pragma once

#include "origin/live/keeper.hpp"

namespace relay::origin {

class Announcer;
class Catalog;
class SegmentStore;

class LiveKeeper final : public live::Keeper {
 public:
  /// All outlive it.
  LiveKeeper(Catalog& catalog, SegmentStore& store, Announcer& announcer)
      : catalog_(catalog), store_(store), announcer_(announcer) {}

  std::filesystem::path media_path(const media::Job& job, std::string_view object) const override;
  Result<void> save(const live::ChannelRecord& record) override;
  Result<void> keep(const media::Job& job, const std::string& rendition,
                    const live::Segment& segment, const Digest128& digest,
                    const std::vector<media::KeyPicture>& keys) override;
  void forget(const media::Job& job, const std::string& rendition,
              const std::vector<std::int64_t>& segments) override;
  Result<std::map<std::string, std::vector<live::Segment>>> kept(
      const media::Job& job) const override;
  Result<void> end(const media::Job& job, const std::map<std::string, std::string>& playlists,
                   std::int64_t duration_ms) override;
  void tell(const media::Job& job, const std::string& state) override;

 private:
  Catalog& catalog_;
  SegmentStore& store_;
  Announcer& announcer_;
};

}  // namespace relay::origin
