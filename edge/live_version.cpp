#include "edge/live_version.hpp"

#include <memory>
#include <utility>

#include "common/http/gzip.hpp"
#include "common/http/trail.hpp"
#include "edge/stored.hpp"

namespace relay::edge {
namespace {

/// What speaks of upstream's very bytes, or of when and for how long; said anew here.
constexpr std::string_view of_one_form[] = {"Content-Length",
                                            "Content-Encoding",
                                            "Content-Digest",
                                            "Repr-Digest",
                                            "ETag",
                                            "Last-Modified",
                                            "Cache-Control",
                                            "Expires",
                                            "Age",
                                            "Date",
                                            "Vary",
                                            "Cache-Status",
                                            "Via",
                                            "Accept-Ranges"};

std::pair<std::int64_t, std::int64_t> order_of(const media::LivePlaylistOutline& outline) {
  media::LivePosition next = outline.next();
  return {next.segment, next.part};
}

}  // namespace

LiveVersion::LiveVersion(const Arrival& arrival, media::WholePlaylist whole)
    : text_(std::move(whole.text)),
      outline_(std::move(whole.outline)),
      fields_(http::end_to_end(arrival.head)),
      purge_sequence_(arrival.purge_sequence),
      came_(arrival.at),
      cache_tags_(make_stored(200, arrival.head, {}, {}).cache_tags) {
  for (std::string_view name : of_one_form) fields_.remove(name);
}

Result<std::shared_ptr<const LiveVersion>> LiveVersion::make(const Arrival& arrival,
                                                             std::string text) {
  auto outline = media::read_live_playlist(text);
  if (!outline) return std::unexpected(outline.error());
  media::WholePlaylist whole{std::move(text), std::move(*outline)};
  return std::shared_ptr<const LiveVersion>(new LiveVersion(arrival, std::move(whole)));
}

std::shared_ptr<const LiveVersion> LiveVersion::with(const Arrival& arrival,
                                                     std::string_view delta) const {
  auto whole = media::merge_delta(text_, outline_, delta);
  if (!whole) return nullptr;
  return std::shared_ptr<const LiveVersion>(new LiveVersion(arrival, std::move(*whole)));
}

bool LiveVersion::takes_deltas(SteadyTime now) const {
  return now - came_ <= std::chrono::microseconds(outline_.can_skip_us / 2) &&
         outline_.can_skip_us > 0;
}

bool LiveVersion::is_behind(const LiveVersion& other) const {
  if (outline_.ended != other.outline_.ended) return other.outline_.ended;
  if (outline_.media_sequence < other.outline_.media_sequence) return true;
  return order_of(outline_) < order_of(other.outline_);
}

const std::string& LiveVersion::body(Form form) const {
  if (!form.delta && !form.gzip) return text_;
  std::size_t index = (form.delta ? 2u : 0u) + (form.gzip ? 1u : 0u);
  std::call_once(made_[index], [&] {
    if (form.gzip) {
      bodies_[index] = http::gzip(body({form.delta, false}));
    } else {
      bodies_[index] = media::cut_delta(text_, outline_).value_or(text_);
    }
  });
  return bodies_[index];
}

}  // namespace relay::edge
