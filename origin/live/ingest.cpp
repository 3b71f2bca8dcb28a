#include "origin/live/ingest.hpp"

#include "common/base/log.hpp"
#include "common/http/problem.hpp"
#include "common/http/repr_digest.hpp"
#include "common/http/url.hpp"
#include "common/media/attribute_list.hpp"
#include "common/net/whole_body.hpp"

namespace relay::origin::live {
namespace {

constexpr std::string_view prefix = "/live/";
constexpr std::size_t message_bytes_max = 64 * 1024;  // setup and status

Result<void> take_parameter(const http::Parameter& parameter, PartArrival& into) {
  auto number = media::decimal_integer(parameter.value);
  bool is_flag = number && *number <= 1;
  if (parameter.name == "ticks" && number && *number > 0)
    into.ticks = *number;
  else if (parameter.name == "independent" && is_flag)
    into.independent = *number == 1;
  else if (parameter.name == "last" && is_flag)
    into.last = *number == 1;
  else
    return bad_input("a part takes ticks above 0, and independent and last of 0 or 1");
  return {};
}

}  // namespace

Result<PartArrival> read_part_target(std::string_view target) {
  std::size_t mark = std::min(target.find('?'), target.size());
  // Spelled as viewers will ask for it.
  std::string url = media::version_prefix("t", "a", "v") + std::string(target.substr(0, mark));
  auto path = media::parse_media_path(url);
  if (!path || path->kind != media::MediaKind::part)
    return bad_input("'" + std::string(target) + "' is not the path of a part");
  PartArrival arrival{
      .rendition = std::string(path->rendition), .segment = path->number, .part = path->part};
  for (const http::Parameter& each :
       http::read_parameters(target.substr(std::min(mark + 1, target.size())))) {
    if (auto taken = take_parameter(each, arrival); !taken) return std::unexpected(taken.error());
  }
  if (arrival.ticks == 0) return bad_input("a part needs its ticks");
  return arrival;
}

net::Task<void> Ingest::handle(net::Exchange& exchange) {
  std::string target(exchange.request().target);
  if (!target.starts_with(prefix)) {
    co_await rest_->handle(exchange);
    co_return;
  }
  auto done = co_await act(exchange, target);
  if (done) {
    channel_->on_sign_of_life();
    co_await exchange.respond({204, {}, ""});
    co_return;
  }
  auto record = channel_->record();
  log::warn("publication of a channel refused",
            {log::kv("tenant", record->job.tenant), log::kv("asset", record->job.asset),
             log::kv("target", target), log::kv("why", done.error().message)});
  co_await exchange.respond(http::problem_of(done.error()));
}

net::Task<Result<void>> Ingest::act(net::Exchange& exchange, std::string target) {
  if (exchange.request().method != "PUT") co_return bad_input("only PUT is of use here");
  if (target == "/live/setup") co_return co_await take_setup(exchange);
  if (target == "/live/status") co_return co_await take_status(exchange);
  co_return co_await take_part(exchange, target.substr(prefix.size()));
}

net::Task<Result<void>> Ingest::take_setup(net::Exchange& exchange) {
  auto body = co_await net::read_whole_body(exchange, message_bytes_max);
  if (!body) co_return std::unexpected(body.error());
  auto setup = media::live_setup_from_json(*body);
  if (!setup) co_return std::unexpected(setup.error());
  for (const media::LiveRendition& each : setup->renditions) {
    if (auto named = media::check_name("rendition", each.name); !named) co_return named;
  }
  co_return co_await Channel::take_setup(channel_, std::move(*setup));
}

net::Task<Result<void>> Ingest::take_status(net::Exchange& exchange) {
  auto body = co_await net::read_whole_body(exchange, message_bytes_max);
  if (!body) co_return std::unexpected(body.error());
  auto status = media::live_status_from_json(*body);
  if (!status) co_return std::unexpected(status.error());
  channel_->take_status(std::move(*status));
  co_return Result<void>();
}

net::Task<Result<void>> Ingest::take_part(net::Exchange& exchange, std::string target) {
  auto arrival = read_part_target(target);
  if (!arrival) co_return std::unexpected(arrival.error());
  auto promised = http::read_repr_digest(http::joined(exchange.request().fields, "Repr-Digest"));
  if (!promised) co_return std::unexpected(promised.error());
  if (!*promised) co_return bad_input("Repr-Digest with xxh3-128 is missing");
  auto body = co_await net::read_whole_body(exchange, static_cast<std::size_t>(part_bytes_max_));
  if (!body) co_return std::unexpected(body.error());
  auto answering = channel_->answering();
  arrival->bytes = std::move(*body);
  arrival->digest = digest128(arrival->bytes);
  if (arrival->digest != **promised) co_return bad_input("the body does not match its Repr-Digest");
  if (arrival->bytes.empty()) co_return bad_input("a part is never empty");
  auto keys = media::key_pictures_from_text(
      http::joined(exchange.request().fields, media::key_pictures_field), arrival->bytes.size());
  if (!keys) co_return std::unexpected(keys.error());
  if (!keys->empty()) arrival->key = keys->front();
  co_return co_await Channel::take_part(channel_, std::move(*arrival));
}

}  // namespace relay::origin::live
