#include "origin/live/channels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "origin/live/deadlines.hpp"

namespace relay::origin::live {

namespace {

constexpr unsigned writing_threads = 2;
constexpr std::size_t ended_max = 64;  // whose parts can still be had

LiveCounters counters_of(Metrics& metrics) {
  return {
      metrics.counter("origin_live_parts_total", "Parts of channels stored."),
      metrics.counter("origin_live_part_bytes_total", "Bytes of these parts."),
      metrics.counter("origin_live_late_parts_total",
                      "Parts that came when their segment had been given up."),
      metrics.counter("origin_live_gaps_total", "Segments that were not made in time."),
      metrics.counter("origin_live_segments_total", "Segments of channels kept."),
      metrics.gauge("origin_live_shed_renditions",
                    "Renditions that channels leave out now, for the machine is too slow."),
      metrics.histogram("origin_live_encode_delay_seconds",
                        "From a frame's moment to its encoding, a channel's worst of a second."),
      metrics.counter("origin_live_switches_total",
                      "Times that a channel went from one slot to the other.")};
}

}  // namespace

std::unexpected<Error> no_open_channel(std::string_view asset) {
  return fail(ErrorKind::not_found, ErrorSource::client,
              fmt::format("there is no open channel '{}': it never was, or it has ended and is a "
                          "recording; PUT opens it",
                          asset));
}

Channels::Channels(net::Blocking& blocking, Keeper& keeper, jobs::Desk& desk, Metrics& metrics,
                   const LiveSettings& settings, const jobs::JobSettings& jobs)
    : blocking_(blocking),
      writing_(writing_threads),
      keeper_(keeper),
      desk_(desk),
      settings_(settings),
      jobs_(jobs),
      counters_(counters_of(metrics)),
      open_now_(metrics.gauge("origin_live_channels", "Channels that are open.")) {
}

void Channels::start(net::asio::io_context& io) {
  io_ = &io;
  ticker_.emplace(io.get_executor());
}

ChannelParts Channels::parts() {
  return {*io_, blocking_, writing_, keeper_, leftovers_, desk_, settings_, jobs_, counters_};
}

std::shared_ptr<Channel> Channels::find(std::string_view tenant, std::string_view asset) const {
  auto all = channels_.load();
  auto found = all->find({std::string(tenant), std::string(asset)});
  return found == all->end() ? nullptr : found->second;
}

std::shared_ptr<Channel> Channels::find_with_parts(std::string_view tenant,
                                                   std::string_view asset) const {
  if (auto open = find(tenant, asset)) return open;
  auto all = ended_.load();
  auto found = all->find({std::string(tenant), std::string(asset)});
  return found == all->end() ? nullptr : found->second.channel;
}

Result<std::unique_ptr<Feed>> Channels::admit(const StreamKey& key,
                                              media::FeedFormat format) const {
  auto channel = find(key.tenant, key.asset);
  if (!channel) {
    return fail(ErrorKind::denied, ErrorSource::client,
                "there is no such channel, it has ended, or this is not its stream key");
  }
  auto feed = channel->admit(key.key, key.slot, format);
  log::info(feed ? "publisher came" : "publisher refused",
            {log::kv("tenant", key.tenant), log::kv("asset", key.asset),
             log::kv("slot", media::name(key.slot)), log::kv("format", media::name(format)),
             log::kv("why", feed ? "" : feed.error().message)});
  return feed;
}

void Channels::replace(const std::string& tenant, const std::string& asset,
                       std::shared_ptr<Channel> channel) {
  auto next = std::make_shared<Map>(*channels_.load());
  if (channel)
    next->insert_or_assign({tenant, asset}, std::move(channel));
  else
    next->erase({tenant, asset});
  open_now_.set(static_cast<std::int64_t>(next->size()));
  channels_.store(std::move(next));
}

void Channels::add(ChannelRecord record, std::map<std::string, std::vector<Segment>> kept) {
  std::string tenant = record.job.tenant, asset = record.job.asset;
  auto channel = std::make_shared<Channel>(parts(), std::move(record));
  channel->start(std::move(kept));
  replace(tenant, asset, std::move(channel));
}

Result<void> Channels::allow_one_more() const {
  if (static_cast<std::int64_t>(channels_.load()->size()) < settings_.channels_max) return {};
  return fail(
      ErrorKind::unavailable, ErrorSource::client,
      fmt::format("{} channels are open, and no more are allowed here", settings_.channels_max));
}

net::Task<Result<void>> Channels::open(ChannelRecord record) {
  add(std::move(record), {});
  co_return Result<void>();
}

net::Task<Result<void>> Channels::change(std::string tenant, std::string asset,
                                         ChannelWishes wishes, std::string key_sha256) {
  auto channel = find(tenant, asset);
  if (!channel) co_return no_open_channel(asset);
  co_return co_await Channel::change(channel, std::move(wishes), std::move(key_sha256));
}

net::Task<Result<void>> Channels::end(std::string tenant, std::string asset) {
  auto channel = find(tenant, asset);
  if (!channel) co_return no_open_channel(asset);
  auto ended = co_await Channel::end(channel);
  if (!ended) co_return ended;
  keep_parts(tenant, asset, channel);
  replace(tenant, asset, nullptr);
  co_return ended;
}

void Channels::keep_parts(const std::string& tenant, const std::string& asset,
                          std::shared_ptr<Channel> channel) {
  auto next = std::make_shared<EndedMap>(*ended_.load());
  SteadyTime until = steady_now() + channel->parts_stay();
  if (next->size() < ended_max)
    next->insert_or_assign({tenant, asset}, Ended{std::move(channel), until});
  ended_.store(std::move(next));
}

void Channels::let_parts_go(SteadyTime now) {
  auto is_over = [&](const auto& each) { return each.second.until <= now; };
  auto ended = ended_.load();
  if (std::ranges::none_of(*ended, is_over)) return;
  auto next = std::make_shared<EndedMap>(*ended);
  std::erase_if(*next, is_over);
  ended_.store(std::move(next));
}

net::Task<void> Channels::forget(net::Blocking& blocking, Keeper& keeper,
                                 Leftovers::Segments segments) {
  auto forget = [&] {
    keeper.forget(segments.channel->job, segments.rendition, segments.numbers);
    return true;
  };
  co_await net::run_blocking(blocking, forget);
}

void Channels::forget_leftovers(SteadyTime now) {
  for (Leftovers::Segments& due : leftovers_.take_due(now))
    net::spawn(*io_, forget(blocking_, keeper_, std::move(due)));
}

net::Task<Result<void>> Channels::remove(std::string tenant, std::string asset) {
  auto ended = std::make_shared<EndedMap>(*ended_.load());
  ended->erase({tenant, asset});
  ended_.store(std::move(ended));
  auto channel = find(tenant, asset);
  if (!channel) co_return no_open_channel(asset);
  replace(tenant, asset, nullptr);
  channel->stop("the channel was deleted");
  co_return Result<void>();
}

net::Task<void> Channels::run() {
  while (!stopping_) {
    auto open = channels_.load();
    for (const auto& [name, channel] : *open) channel->tick();
    let_parts_go(steady_now());
    forget_leftovers(steady_now());
    ticker_->expires_after(tick_interval);
    co_await ticker_->async_wait(net::use_result);
  }
}

void Channels::stop() {
  stopping_ = true;
  ticker_->cancel();
  auto open = channels_.load();
  for (const auto& [name, channel] : *open) channel->stop("the service stops");
}

void Channels::release() {
  ticker_.reset();
  channels_.store(std::make_shared<const Map>());
  ended_.store(std::make_shared<const EndedMap>());
}

}  // namespace relay::origin::live
