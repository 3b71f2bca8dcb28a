// The receiving end of a channel's transcoder: what common/media/live.hpp adds to the protocol of
// common/media/job.hpp. A part is checked against its digest, written, and only then shown.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/media/media_path.hpp"
#include "common/net/handler.hpp"
#include "origin/live/channel.hpp"

namespace relay::origin::live {

/// "v720/12.3.m4s?ticks=46080&independent=0&last=1": everything of a part but its bytes.
Result<PartArrival> read_part_target(std::string_view target);

/// On the channel's thread.
class Ingest final : public net::Handler {
 public:
  /// `rest` answers what is not of a channel only: inits, playlists, the result.
  Ingest(std::shared_ptr<Channel> channel, std::unique_ptr<net::Handler> rest,
         std::uint64_t part_bytes_max)
      : channel_(std::move(channel)), rest_(std::move(rest)), part_bytes_max_(part_bytes_max) {}

  net::Task<void> handle(net::Exchange& exchange) override;

 private:
  net::Task<Result<void>> act(net::Exchange& exchange, std::string target);
  net::Task<Result<void>> take_setup(net::Exchange& exchange);
  net::Task<Result<void>> take_status(net::Exchange& exchange);
  net::Task<Result<void>> take_part(net::Exchange& exchange, std::string target);

  const std::shared_ptr<Channel> channel_;
  const std::unique_ptr<net::Handler> rest_;
  const std::uint64_t part_bytes_max_;
};

}  // namespace relay::origin::live
