#include "origin/live_api.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <random>
#include <utility>

#include "common/http/json_text.hpp"
#include "common/http/problem.hpp"
#include "common/net/run_on.hpp"
#include "common/net/whole_body.hpp"
#include "origin/intake/sha256.hpp"
#include "origin/json_body.hpp"
#include "origin/live/ts_units.hpp"
#include "origin/live_addresses.hpp"

namespace relay::origin {
namespace {

constexpr std::size_t json_bytes_max = 64 * 1024;
constexpr std::size_t feed_read_bytes = 64 * 1024;

std::uint32_t chance() {
  thread_local std::random_device device;
  return device();
}

/// 128 bits that nobody guesses.
std::string new_stream_key() {
  std::string key;
  for (int i = 0; i < 4; ++i) key += fmt::format("{:08x}", chance());
  return key;
}

http::Response json_answer(int status, const boost::json::value& value) {
  http::Response response{status, {}, http::json_text(value) + "\n"};
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Cache-Control", "no-store");
  return response;
}

/// The value of the one parameter that is allowed; `otherwise` when it is not there.
Result<std::string> only_parameter(const std::vector<http::Parameter>& parameters,
                                   std::string_view name, std::string_view otherwise) {
  std::string value(otherwise);
  for (const http::Parameter& each : parameters) {
    if (each.name != name)
      return bad_input(fmt::format("unknown query parameter '{}'; allowed is {}", each.name, name));
    value = each.value;
  }
  return value;
}

Result<media::FeedSlot> slot_of(const std::vector<http::Parameter>& parameters) {
  auto text = only_parameter(parameters, "slot", media::name(media::FeedSlot::primary));
  if (!text) return std::unexpected(text.error());
  for (media::FeedSlot slot : {media::FeedSlot::primary, media::FeedSlot::backup})
    if (*text == media::name(slot)) return slot;
  return bad_input("slot must be primary or backup");
}

}  // namespace

std::string_view LiveApi::methods_of(std::string_view action) {
  if (action.empty()) return "PUT";
  return action == "end" || action == "feed" ? "POST" : "";
}

net::Task<void> LiveApi::answer(net::Exchange& exchange, Request request) {
  if (request.action == "end")
    co_await end(exchange, std::move(request));
  else if (request.action == "feed")
    co_await feed(exchange, std::move(request));
  else
    co_await put(exchange, std::move(request));
}

boost::json::object LiveApi::document(const Asset& asset) const {
  boost::json::object out = catalog_.document(asset);
  if (asset.kind != AssetKind::channel) return out;
  auto channel = channels_.find(asset.tenant, asset.name);
  if (channel)
    out["live"] = channel->document();
  else
    out["live"] = nullptr;
  return out;
}

media::Job LiveApi::new_job(const Request& request, const live::ChannelWishes& wishes) const {
  WallTime now = wall_now();
  media::Job job;
  job.kind = media::JobKind::live;
  job.tenant = request.tenant;
  job.asset = request.asset;
  job.version = version_name(now, chance());
  job.live.emplace();
  job.live->channel =
      live::constants_of(wishes, channels_.settings(), now.time_since_epoch().count());
  return job;
}

net::Task<void> LiveApi::put(net::Exchange& exchange, Request request) {
  auto new_key = only_parameter(request.parameters, "new_key", "false");
  if (new_key && *new_key != "true" && *new_key != "false")
    new_key = bad_input("new_key must be true or false");
  auto body = co_await net::read_whole_body(exchange, json_bytes_max);
  if (!new_key || !body) {
    co_await exchange.respond(http::problem_of(new_key ? body.error() : new_key.error()));
    co_return;
  }
  auto wanted = read_channel(*body, channels_.settings());
  if (!wanted) {
    co_await exchange.respond(http::problem_of(wanted.error()));
    co_return;
  }
  bool known = channels_.find(request.tenant, request.asset) != nullptr;
  std::string key = !known || *new_key == "true" ? new_stream_key() : "";
  Result<Asset> asset;
  if (known)
    asset = co_await change(request, *wanted, key);
  else
    asset = co_await open(request, *wanted, key);
  if (!asset) {
    co_await exchange.respond(http::problem_of(asset.error()));
    co_return;
  }
  boost::json::object answer = document(*asset);
  if (!key.empty())
    answer["ingest"] = ingest_addresses(channels_.settings(), request.tenant, request.asset, key);
  co_await exchange.respond(json_answer(known ? 200 : 201, answer));
}

net::Task<Result<Asset>> LiveApi::open(const Request& request, const ChannelBody& wanted,
                                       std::string key) {
  if (auto room = channels_.allow_one_more(); !room) co_return std::unexpected(room.error());
  const live::ChannelWishes& wishes = wanted.wishes;
  NewChannel channel{{new_job(request, wishes), intake::sha256_hex(key), wishes.rules},
                     wanted.labels.title.value_or(""),
                     wanted.labels.tags.value_or(std::vector<std::string>())};
  auto store = [&] { return catalog_.open_channel(channel); };
  auto asset = co_await net::run_blocking(blocking_, store);
  if (!asset) co_return asset;
  auto adding = channels_.open(channel.record);
  auto opened = co_await net::run_on(channels_.io(), std::move(adding));
  if (!opened) co_return std::unexpected(opened.error());
  co_return asset;
}

net::Task<Result<Asset>> LiveApi::change(const Request& request, const ChannelBody& wanted,
                                         std::string new_key) {
  std::string key_sha256 = new_key.empty() ? "" : intake::sha256_hex(new_key);
  auto changing =
      channels_.change(request.tenant, request.asset, wanted.wishes, std::move(key_sha256));
  auto changed = co_await net::run_on(channels_.io(), std::move(changing));
  if (!changed) co_return std::unexpected(changed.error());
  auto relabel = [&] {
    return catalog_.relabel(request.tenant, request.asset, wanted.labels.title, wanted.labels.tags);
  };
  auto asset = co_await net::run_blocking(blocking_, relabel);
  if (!asset) co_return std::unexpected(asset.error());
  if (!*asset) co_return live::no_open_channel(request.asset);
  co_return std::move(**asset);
}

net::Task<void> LiveApi::end(net::Exchange& exchange, Request request) {
  auto ending = channels_.end(request.tenant, request.asset);
  auto ended = co_await net::run_on(channels_.io(), std::move(ending));
  auto asset = catalog_.asset(request.tenant, request.asset);
  if (ended && asset && *asset) {
    co_await exchange.respond(json_answer(200, document(**asset)));
    co_return;
  }
  if (ended) ended = live::no_open_channel(request.asset);
  co_await exchange.respond(http::problem_of(ended.error()));
}

net::Task<void> LiveApi::remove(std::string tenant, std::string asset) {
  auto removing = channels_.remove(std::move(tenant), std::move(asset));
  co_await net::run_on(channels_.io(), std::move(removing));
}

net::Task<void> LiveApi::feed(net::Exchange& exchange, Request request) {
  auto slot = slot_of(request.parameters);
  auto channel = channels_.find(request.tenant, request.asset);
  Result<std::unique_ptr<live::Feed>> feed = live::no_open_channel(request.asset);
  if (!slot) feed = std::unexpected(slot.error());
  if (slot && channel)
    feed = channel->publish(*slot, media::FeedFormat::mpegts, live::AdmittedBy::tenant_key);
  if (!feed) {
    co_await exchange.respond(http::problem_of(feed.error()));
    co_return;
  }
  live::TsUnits units;
  bool wanted = true;
  live::TsUnits::Take take = [&](std::string_view unit, live::Unit kind) {
    wanted = (*feed)->write(unit, kind) && wanted;
  };
  std::vector<char> buffer(feed_read_bytes);
  Result<void> fine;
  std::uint64_t total = 0;
  while (fine && wanted) {
    auto n = co_await exchange.read_body(buffer);
    if (!n || *n == 0) {
      if (!n) fine = std::unexpected(n.error());
      break;
    }
    total += *n;
    fine = units.add({buffer.data(), *n}, take);
    if (!fine) (*feed)->refuse(fine.error().message);
  }
  (*feed)->end();
  if (fine && !wanted)
    fine = fail(ErrorKind::conflict, ErrorSource::client,
                "another publisher took this slot, or the channel has ended");
  http::Response response = fine ? json_answer(200, boost::json::object{{"bytes", total}})
                                 : http::problem_of(fine.error());
  co_await exchange.respond(std::move(response));
}

}  // namespace relay::origin
