#include "origin/api.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <utility>

#include "common/base/log.hpp"
#include "common/http/json_text.hpp"
#include "common/http/problem.hpp"
#include "common/http/url.hpp"
#include "common/media/media_path.hpp"
#include "common/net/whole_body.hpp"
#include "origin/jobs/supervisor.hpp"

namespace relay::origin {

/// /api/v1/{tenant}/{collection}[/{asset}[/{action}]]
struct Api::Route {
  std::string tenant, collection, asset, action;
  std::vector<http::Parameter> parameters;
};

namespace {

using namespace std::chrono_literals;

constexpr std::size_t json_bytes_max = 64 * 1024;
constexpr std::size_t page_size_default = 50;
constexpr std::size_t page_size_max = 200;
constexpr std::chrono::milliseconds edges_wait = 3s;  // for their receipts, before DELETE answers

std::unexpected<Error> nothing_here() {
  return fail(ErrorKind::not_found, ErrorSource::client,
              "the API has nothing at this address; behind /api/v1/{tenant} there are "
              "/videos/{asset}, /photos/{asset}, /channels/{asset}, /clips/{asset}, /assets, "
              "/assets/{asset} and /events");
}

std::unexpected<Error> no_asset(std::string_view name) {
  return fail(ErrorKind::not_found, ErrorSource::client,
              fmt::format("there is no asset '{}'", name));
}

/// The parts of a path behind /api/v1, at most five.
std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty() && parts.size() < 5) {
    path.remove_prefix(1);
    std::size_t end = std::min(path.find('/'), path.size());
    parts.push_back(http::percent_decode(path.substr(0, end)).value_or(""));
    path.remove_prefix(end);
  }
  return parts;
}

Result<void> allow_parameters(const std::vector<http::Parameter>& parameters,
                              std::initializer_list<std::string_view> allowed) {
  for (const http::Parameter& parameter : parameters) {
    if (std::ranges::find(allowed, parameter.name) != allowed.end()) continue;
    std::string hint = allowed.size() == 0
                           ? "none are allowed here"
                           : fmt::format("allowed are {}", fmt::join(allowed, ", "));
    return bad_input(fmt::format("unknown query parameter '{}'; {}", parameter.name, hint));
  }
  return {};
}

Result<Labels> labels_of(const std::vector<http::Parameter>& parameters) {
  if (auto known = allow_parameters(parameters, {"title", "tag"}); !known) {
    return std::unexpected(known.error());
  }
  Labels labels;
  for (const http::Parameter& parameter : parameters) {
    if (parameter.name == "title") labels.title = parameter.value;
    if (parameter.name != "tag") continue;
    if (!labels.tags) labels.tags.emplace();
    labels.tags->push_back(parameter.value);
  }
  auto checked = labels.title ? check_title(*labels.title) : Result<void>();
  if (checked && labels.tags) checked = check_tags(*labels.tags);
  if (!checked) return std::unexpected(checked.error());
  return labels;
}

struct ListQuery {
  AssetFilter filter;
  std::string cursor;
  std::size_t most = page_size_default;
};

Result<void> read_list_parameter(const http::Parameter& parameter, ListQuery& into) {
  const auto& [name, value] = parameter;
  if (name == "q") into.filter.text = value;
  if (name == "tag") into.filter.tag = value;
  if (name == "cursor") into.cursor = value;
  if (name == "kind") {
    into.filter.kind = asset_kind(value);
    if (!into.filter.kind) {
      return bad_input(
          fmt::format("unknown kind '{}'; allowed are video, photo, channel, clip", value));
    }
  }
  if (name == "limit") {
    auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), into.most);
    bool whole = ec == std::errc() && end == value.data() + value.size();
    if (!whole || into.most < 1 || into.most > page_size_max) {
      return bad_input(fmt::format("limit must be a number from 1 to {}", page_size_max));
    }
  }
  return {};
}

Result<ListQuery> read_list_query(const std::vector<http::Parameter>& parameters) {
  auto known = allow_parameters(parameters, {"kind", "q", "tag", "cursor", "limit"});
  if (!known) return std::unexpected(known.error());
  ListQuery query;
  for (const http::Parameter& parameter : parameters) {
    if (auto read = read_list_parameter(parameter, query); !read) {
      return std::unexpected(read.error());
    }
  }
  return query;
}

http::Response json_answer(const boost::json::value& value) {
  http::Response response{200, {}, http::json_text(value) + "\n"};
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Cache-Control", "no-store");
  return response;
}

constexpr std::string_view how_to_upload =
    "an upload is a PUT whose body is the file itself, as `curl -T FILE` sends it";

http::Response not_allowed(std::string_view allowed, std::string_view collection) {
  bool upload = collection == "videos" || collection == "photos";
  return http::method_not_allowed(allowed, upload ? how_to_upload : std::string_view{});
}

/// What `curl -F` sends: the file wrapped into lines that no demuxer knows.
bool is_form(const http::RequestHead& request) {
  constexpr std::string_view form = "multipart/";
  auto type = http::find(request.fields, "Content-Type");
  return type && http::same_name(type->substr(0, form.size()), form);
}

/// The methods of a collection, of an asset in it, or of an action on one; empty: there is nothing.
std::string_view methods_of(std::string_view collection, bool of_asset, std::string_view action) {
  if (collection == "channels" && of_asset) return LiveApi::methods_of(action);
  if (!action.empty()) return {};
  bool uploads = collection == "videos" || collection == "photos";
  if (uploads && of_asset) return "PUT";
  if (collection == "clips" && of_asset) return "PUT";
  if (collection == "assets") return of_asset ? "GET, HEAD, PATCH, DELETE" : "GET, HEAD";
  if (collection == "events" && !of_asset) return "GET";
  return {};
}

bool lists(std::string_view methods, std::string_view method) {
  for (const auto& each : {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"}) {
    if (method == each) return methods.find(each) != methods.npos;
  }
  return false;
}

}  // namespace

net::Task<void> Api::answer(net::Exchange& exchange, std::string path, std::string query) {
  constexpr std::string_view root = "/api/v1/";
  std::string_view inside = path;
  if (!inside.starts_with(root)) {
    co_await exchange.respond(http::problem_of(nothing_here().error()));
    co_return;
  }
  auto parts = parts_of(inside.substr(root.size() - 1));
  Route route;
  if (parts.size() > 0) route.tenant = parts[0];
  auto allowed = parts_.access.check(exchange.request().fields, route.tenant);
  if (!allowed) {
    co_await exchange.respond(http::problem_of(allowed.error()));
    co_return;
  }
  bool of_asset = parts.size() == 3 || parts.size() == 4;
  if (parts.size() > 1) route.collection = parts[1];
  if (of_asset) route.asset = parts[2];
  if (parts.size() > 3) route.action = parts[3];
  std::string_view methods = methods_of(route.collection, of_asset, route.action);
  if (parts.size() > 4 || methods.empty()) {
    co_await exchange.respond(http::problem_of(nothing_here().error()));
    co_return;
  }
  if (!lists(methods, exchange.request().method)) {
    co_await exchange.respond(not_allowed(methods, route.collection));
    co_return;
  }
  auto named = of_asset ? media::check_name("asset", route.asset) : Result<void>();
  if (!named) {
    co_await exchange.respond(http::problem_of(named.error()));
    co_return;
  }
  route.parameters = http::read_parameters(query);
  co_await dispatch(exchange, std::move(route));
}

net::Task<void> Api::dispatch(net::Exchange& exchange, Route route) {
  std::string_view method = exchange.request().method;
  if (route.collection == "videos") {
    co_await put_upload(exchange, std::move(route), AssetKind::video);
  } else if (route.collection == "photos") {
    co_await put_upload(exchange, std::move(route), AssetKind::photo);
  } else if (route.collection == "channels") {
    LiveApi::Request request{std::move(route.tenant), std::move(route.asset),
                             std::move(route.action), std::move(route.parameters)};
    co_await parts_.live.answer(exchange, std::move(request));
  } else if (route.collection == "clips") {
    co_await put_clip(exchange, std::move(route));
  } else if (route.collection == "events") {
    co_await stream_events(exchange, std::move(route));
  } else if (route.asset.empty()) {
    co_await list_assets(exchange, std::move(route));
  } else if (method == "DELETE") {
    co_await remove(exchange, std::move(route));
  } else if (method == "PATCH") {
    co_await relabel(exchange, std::move(route));
  } else {
    co_await get_asset(exchange, std::move(route));
  }
}

net::Task<void> Api::put_upload(net::Exchange& exchange, Route route, AssetKind kind) {
  if (is_form(exchange.request())) {
    co_await exchange.respond(http::problem(415, how_to_upload));
    co_return;
  }
  auto labels = labels_of(route.parameters);
  if (!labels) {
    co_await exchange.respond(http::problem_of(labels.error()));
    co_return;
  }
  Uploads::Request request{std::move(route.tenant), std::move(route.asset), kind,
                           std::move(*labels)};
  co_await parts_.uploads.put(exchange, std::move(request));
}

net::Task<void> Api::put_clip(net::Exchange& exchange, Route route) {
  if (auto known = allow_parameters(route.parameters, {}); !known) {
    co_await exchange.respond(http::problem_of(known.error()));
    co_return;
  }
  co_await parts_.clips.put(exchange, std::move(route.tenant), std::move(route.asset));
}

net::Task<void> Api::get_asset(net::Exchange& exchange, Route route) {
  auto known = allow_parameters(route.parameters, {});
  // In this order: an upload is in the catalog before it is no longer on its way.
  auto incoming = parts_.uploads.receiving(route.tenant, route.asset);
  auto asset = parts_.catalog.asset(route.tenant, route.asset);
  if (!known) {
    co_await exchange.respond(http::problem_of(known.error()));
  } else if (!asset) {
    co_await exchange.respond(http::problem_of(asset.error()));
  } else if (*asset) {
    co_await exchange.respond(json_answer(parts_.live.document(**asset)));
  } else if (incoming) {
    co_await exchange.respond(json_answer(to_public(incoming->asset, incoming->progress())));
  } else {
    co_await exchange.respond(http::problem_of(no_asset(route.asset).error()));
  }
}

net::Task<void> Api::list_assets(net::Exchange& exchange, Route route) {
  auto query = read_list_query(route.parameters);
  if (!query) {
    co_await exchange.respond(http::problem_of(query.error()));
    co_return;
  }
  auto page = parts_.catalog.list(route.tenant, query->filter, query->cursor, query->most);
  if (!page) {
    co_await exchange.respond(http::problem_of(page.error()));
    co_return;
  }
  boost::json::array assets;
  for (const Asset& asset : page->assets) assets.push_back(parts_.live.document(asset));
  boost::json::object answer{{"assets", std::move(assets)}, {"cursor", nullptr}};
  if (!page->next_cursor.empty()) answer["cursor"] = page->next_cursor;
  co_await exchange.respond(json_answer(answer));
}

net::Task<void> Api::relabel(net::Exchange& exchange, Route route) {
  auto body = co_await net::read_whole_body(exchange, json_bytes_max);
  if (!body) {
    co_await exchange.respond(http::problem_of(body.error()));
    co_return;
  }
  auto labels = read_labels(*body);
  if (!labels) {
    co_await exchange.respond(http::problem_of(labels.error()));
    co_return;
  }
  auto change = [&] {
    return parts_.catalog.relabel(route.tenant, route.asset, labels->title, labels->tags);
  };
  auto changed = co_await net::run_blocking(parts_.blocking, change);
  if (!changed) {
    co_await exchange.respond(http::problem_of(changed.error()));
  } else if (!*changed) {
    co_await exchange.respond(http::problem_of(no_asset(route.asset).error()));
  } else {
    parts_.announcer.relabelled(route.tenant, route.asset);
    co_await exchange.respond(json_answer(parts_.live.document(**changed)));
  }
}

net::Task<void> Api::remove(net::Exchange& exchange, Route route) {
  auto erase = [&] { return parts_.catalog.remove(route.tenant, route.asset); };
  auto removed = co_await net::run_blocking(parts_.blocking, erase);
  if (!removed) {
    co_await exchange.respond(http::problem_of(removed.error()));
    co_return;
  }
  if (!*removed) {
    co_await exchange.respond(http::problem_of(no_asset(route.asset).error()));
    co_return;
  }
  supervisor_->cancel(route.tenant, route.asset, "");
  co_await parts_.live.remove(route.tenant, route.asset);
  SegmentStore& store = parts_.store;
  net::asio::post(parts_.blocking.pool(),
                  [&store, route, released = std::move((*removed)->released)] {
                    store.remove_asset(route.tenant, route.asset);
                    store.remove_released(route.tenant, released);
                  });
  std::string purge = purge_of_prefix(media::asset_prefix(route.tenant, route.asset));
  auto receipts = co_await parts_.announcer.purge_and_wait(std::move(purge), edges_wait);
  boost::json::array edges;
  for (const Receipt& receipt : receipts) {
    edges.push_back(boost::json::object{{"edge", receipt.edge}, {"confirmed", receipt.confirmed}});
  }
  log::info("deleted", {log::kv("tenant", route.tenant), log::kv("asset", route.asset)});
  boost::json::object answer{{"tenant", route.tenant},
                             {"asset", route.asset},
                             {"state", "deleted"},
                             {"edges", std::move(edges)}};
  co_await exchange.respond(json_answer(answer));
}

net::Task<void> Api::stream_events(net::Exchange& exchange, Route route) {
  auto known = allow_parameters(route.parameters, {});
  std::optional<std::uint64_t> after;
  if (auto last = http::find(exchange.request().fields, "Last-Event-ID"); known && last) {
    std::uint64_t number = 0;
    auto [end, ec] = std::from_chars(last->data(), last->data() + last->size(), number);
    bool whole = ec == std::errc() && end == last->data() + last->size();
    if (whole) after = number;
    if (!whole) known = bad_input("Last-Event-ID must be the id of an event of this stream");
  }
  if (!known) {
    co_await exchange.respond(http::problem_of(known.error()));
    co_return;
  }
  co_await parts_.events.stream(exchange, std::move(route.tenant), after);
}

}  // namespace relay::origin
