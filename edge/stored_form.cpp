// The text that a stored response has in the store:
//   "torchrelay 2 PURGE_SEQUENCE KIND STATUS REQUEST_TIME RESPONSE_TIME INITIAL_AGE STALE_FROM
//       SLICED\n"   on one line; times in ms
//   "vary,names\n"   of a part: the Range that it answered
//   head_text         of an alias: the key that it stands for
// All else follows from these, so that a later release may compute it differently.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "common/http/syntax.hpp"
#include "edge/stored.hpp"

namespace relay::edge {
namespace {

constexpr std::string_view magic = "torchrelay 2 ";
constexpr std::int64_t never = -1;  // stale_from of a response that no soft purge met

std::int64_t ms_of(WallTime moment) {
  return moment.time_since_epoch().count();
}

WallTime moment_of(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

std::unexpected<Error> corrupt() {
  return fail(ErrorKind::corrupt, ErrorSource::disk, "a stored response head is not readable");
}

/// Takes the text up to `end` off `rest`; nullopt when there is no such end.
std::optional<std::string_view> take(std::string_view& rest, char end) {
  std::size_t at = rest.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return taken;
}

std::optional<std::int64_t> take_signed(std::string_view& rest, char end) {
  auto text = take(rest, end);
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  auto [stop, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || stop != text->data() + text->size()) return std::nullopt;
  return value;
}

bool is_head(std::string_view text) {
  return text.starts_with("HTTP/1.1 ") && text.ends_with("\r\n");
}

/// All but the vary names, which make_stored() reads from the fields themselves.
Result<StoredResponse> rebuild(int status, std::string_view head, WallTime request_time,
                               WallTime response_time) {
  if (!is_head(head)) return corrupt();
  StoredResponse text;
  text.head_text = head;
  text.fields_at = head.find("\r\n") + 2;
  return make_stored(status, text.fields(), request_time, response_time);
}

}  // namespace

std::string encode(const StoredResponse& stored) {
  std::string names = fmt::format("{}", fmt::join(stored.vary, ","));
  std::int64_t stale_from = stored.stale_from ? ms_of(*stored.stale_from) : never;
  std::string_view second = stored.kind == StoredKind::part ? stored.asked_range : names;
  std::string_view third = stored.kind == StoredKind::alias ? stored.alias_of : stored.head_text;
  std::string text = fmt::format(
      "{}{} {} {} {} {} {} {} {}\n", magic, stored.purge_sequence, static_cast<int>(stored.kind),
      stored.status, ms_of(stored.request_time), ms_of(stored.response_time),
      stored.freshness.initial_age.count(), stale_from, stored.sliced_bytes);
  text.reserve(text.size() + second.size() + third.size() + 1);
  return text.append(second).append("\n").append(third);
}

Result<StoredResponse> decode(std::string_view text) {
  if (!text.starts_with(magic)) return corrupt();
  text.remove_prefix(magic.size());
  auto purge_sequence = take_signed(text, ' ');
  auto kind = take_signed(text, ' ');
  auto status = take_signed(text, ' ');
  auto request_time = take_signed(text, ' ');
  auto response_time = take_signed(text, ' ');
  auto initial_age = take_signed(text, ' ');
  auto stale_from = take_signed(text, ' ');
  auto sliced_bytes = take_signed(text, '\n');
  auto names = take(text, '\n');
  if (!purge_sequence || !kind || !status || !request_time || !response_time || !initial_age ||
      !stale_from || !sliced_bytes || !names || *status < 100 || *status > 999 || *kind < 0 ||
      *kind > 3) {
    return corrupt();
  }
  auto of_kind = static_cast<StoredKind>(*kind);
  if (of_kind == StoredKind::alias) {
    auto alias = make_alias(std::string(text), moment_of(*response_time));
    alias.purge_sequence = static_cast<std::uint64_t>(*purge_sequence);
    return alias;
  }
  if (of_kind == StoredKind::variants) {
    std::vector<std::string> vary;
    while (auto name = http::next_element(*names)) vary.emplace_back(*name);
    auto variants = make_variants(std::move(vary), moment_of(*response_time));
    variants.purge_sequence = static_cast<std::uint64_t>(*purge_sequence);
    return variants;
  }
  auto stored =
      rebuild(static_cast<int>(*status), text, moment_of(*request_time), moment_of(*response_time));
  if (!stored) return stored;
  stored->purge_sequence = static_cast<std::uint64_t>(*purge_sequence);
  stored->kind = of_kind;
  if (of_kind == StoredKind::part) stored->asked_range = *names;
  stored->sliced_bytes = static_cast<std::uint64_t>(*sliced_bytes);
  stored->freshness.initial_age = std::chrono::milliseconds(*initial_age);
  if (*stale_from != never) return mark_stale(*stored, moment_of(*stale_from));
  return stored;
}

std::optional<std::uint64_t> purge_sequence_of(std::string_view text) {
  if (!text.starts_with(magic)) return std::nullopt;
  text.remove_prefix(magic.size());
  auto number = take_signed(text, ' ');
  if (!number) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

}  // namespace relay::edge
