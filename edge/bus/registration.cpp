#include "edge/bus/registration.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/settings.hpp"
#include "common/base/toml_text.hpp"
#include "edge/fleet/member_settings.hpp"

namespace relay::edge::bus {
namespace {

struct Written {
  fleet::Member member;
  std::int64_t registered_for_ms = 0;
  std::int64_t looked_before_ms = Registration::never.count();
};

void describe(Schema& schema, Written& into) {
  fleet::describe_member(schema, into.member);
  schema.count("registered_for_ms", into.registered_for_ms, "since it came to the fleet",
               {0, Registration::never.count()});
  schema.count("looked_before_ms", into.looked_before_ms, "since it knew all the others",
               {0, Registration::never.count()});
}

void describe(Schema& schema, std::vector<fleet::Member>& into) {
  schema.tables<fleet::Member>("members", into, fleet::describe_member, "as last known");
}

std::string lines_of(const fleet::Member& member) {
  return fmt::format("name = {}\nurl = {}\nweight = {}\nzone = {}\ndrain = {}\n",
                     quoted(member.name), quoted(member.url), number_text(member.weight),
                     quoted(member.zone), member.drain);
}

}  // namespace

std::string encode(const Registration& registration) {
  return lines_of(registration.member) +
         fmt::format("registered_for_ms = {}\nlooked_before_ms = {}\n",
                     registration.registered_for.count(), registration.looked_before.count());
}

Result<Registration> decode_registration(std::string_view key, std::string_view text) {
  auto written = parse_settings<Written>(text, std::string(key), describe);
  if (!written) return std::unexpected(written.error());
  if (key_of(written->member.name) != key) {
    return bad_input(fmt::format("{}:1:1: name is {}; allowed here is only who has this key", key,
                                 quoted(written->member.name)));
  }
  return Registration{std::move(written->member),
                      std::chrono::milliseconds(written->registered_for_ms),
                      std::chrono::milliseconds(written->looked_before_ms)};
}

std::string key_of(std::string_view name) {
  std::string key(name);
  std::ranges::replace(key, '.', '=');
  return key;
}

std::string encode_members(std::span<const fleet::Member> members) {
  std::string text;
  for (const fleet::Member& member : members) text += "[[members]]\n" + lines_of(member);
  return text;
}

Result<std::vector<fleet::Member>> decode_members(std::string_view source, std::string_view text) {
  return parse_settings<std::vector<fleet::Member>>(text, std::string(source), describe);
}

}  // namespace relay::edge::bus
