#include "edge/purge_letter.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "common/media/media_path.hpp"

namespace relay::edge {
namespace {

namespace json = boost::json;

json::object write(const PurgeVector& vector) {
  json::object object;
  for (const auto& [member, stamp] : vector) object[member] = stamp;
  return object;
}

json::object write(const FleetPurge& each) {
  return {{"member", each.id.member},
          {"stamp", each.id.stamp},
          {"at_ms", each.at.time_since_epoch().count()},
          {"by", name(each.purge.by)},
          {"text", each.purge.text},
          {"host", each.purge.host},
          {"soft", each.purge.soft}};
}

std::unexpected<Error> wrong(std::string_view what) {
  return bad_input(fmt::format("a letter about purges has no good \"{}\"", what));
}

/// A whole number that is not negative.
std::optional<std::uint64_t> read_count(const json::value* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64() && value->get_int64() >= 0) {
    return static_cast<std::uint64_t>(value->get_int64());
  }
  return std::nullopt;
}

std::optional<std::string> read_text(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(member);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

bool read_flag(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(member);
  return value != nullptr && value->is_bool() && value->get_bool();
}

Result<PurgeVector> read_vector(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(member);
  bool fits =
      value != nullptr && value->is_object() && value->get_object().size() <= letter_members_max;
  if (!fits) return wrong(member);
  PurgeVector vector;
  for (const auto& [key, stamp] : value->get_object()) {
    std::string_view of(key.data(), key.size());
    auto count = read_count(&stamp);
    if (!count || !media::check_name("member", of)) return wrong(member);
    vector[std::string(of)] = *count;
  }
  return vector;
}

std::optional<PurgeBy> read_kind(std::string_view word) {
  constexpr std::array all = {PurgeBy::url, PurgeBy::prefix, PurgeBy::tag, PurgeBy::tenant,
                              PurgeBy::all};
  auto at = std::ranges::find(all, word, [](PurgeBy by) { return name(by); });
  return at == all.end() ? std::nullopt : std::optional(*at);
}

Result<FleetPurge> read_purge(const json::value& value) {
  if (!value.is_object()) return wrong("purges");
  const json::object& object = value.get_object();
  auto member = read_text(object, "member"), by = read_text(object, "by");
  auto text = read_text(object, "text"), host = read_text(object, "host");
  auto stamp = read_count(object.if_contains("stamp"));
  auto at_ms = read_count(object.if_contains("at_ms"));
  auto kind = by ? read_kind(*by) : std::nullopt;
  bool fits = member && media::check_name("member", *member) && kind && text && host && stamp &&
              at_ms && *at_ms < (1ull << 53);
  if (!fits) return wrong("purges");
  WallTime at{std::chrono::milliseconds(*at_ms)};
  Purge purge{*kind, std::move(*text), std::move(*host), read_flag(object, "soft")};
  return FleetPurge{{std::move(*member), *stamp}, at, std::move(purge)};
}

Result<PurgeNews> read_news(const json::object& object) {
  const json::value* value = object.if_contains("news");
  if (value == nullptr) return PurgeNews{};
  if (!value->is_object()) return wrong("news");
  const json::object& news = value->get_object();
  auto after = read_vector(news, "after");
  if (!after) return std::unexpected(after.error());
  auto reached = read_vector(news, "reached");
  if (!reached) return std::unexpected(reached.error());
  const json::value* purges = news.if_contains("purges");
  if (purges == nullptr || !purges->is_array()) return wrong("purges");
  PurgeNews read{std::move(*after), std::move(*reached), {}, read_flag(news, "more")};
  for (const json::value& each : purges->get_array()) {
    auto purge = read_purge(each);
    if (!purge) return std::unexpected(purge.error());
    read.purges.push_back(std::move(*purge));
  }
  return read;
}

}  // namespace

std::string encode(const PurgeLetter& letter) {
  json::object object{{"from", letter.from}, {"reached", write(letter.reached)}};
  if (!letter.news.reached.empty()) {
    json::array purges;
    for (const FleetPurge& each : letter.news.purges) purges.push_back(write(each));
    object["news"] = {{"after", write(letter.news.after)},
                      {"reached", write(letter.news.reached)},
                      {"purges", std::move(purges)},
                      {"more", letter.news.more}};
  }
  if (letter.lent) {
    json::object& lent = object["lent_ms"].emplace_object();
    for (const auto& [member, left] : *letter.lent) lent[member] = left.count();
  }
  if (!letter.lends) object["lends"] = false;
  return json::serialize(object);
}

Result<PurgeLetter> decode_letter(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) return bad_input("a letter about purges is no JSON object");
  const json::object& object = value.get_object();
  auto from = read_text(object, "from");
  if (!from || !media::check_name("from", *from)) return wrong("from");
  auto reached = read_vector(object, "reached");
  if (!reached) return std::unexpected(reached.error());
  auto news = read_news(object);
  if (!news) return std::unexpected(news.error());
  PurgeLetter letter{std::move(*from), std::move(*reached), std::move(*news), {}};
  letter.lends = !object.contains("lends") || read_flag(object, "lends");
  if (object.contains("lent_ms")) {
    auto lent = read_vector(object, "lent_ms");
    if (!lent) return std::unexpected(lent.error());
    constexpr std::uint64_t day_ms = 86'400'000;
    letter.lent.emplace();
    for (const auto& [member, ms] : *lent) {
      (*letter.lent)[member] = std::chrono::milliseconds(std::min(ms, day_ms));
    }
  }
  return letter;
}

}  // namespace relay::edge
