#include "common/http/surrogate_control.hpp"

#include "common/http/syntax.hpp"

namespace relay::http {
namespace {

constexpr std::string_view announced = "torchrelay=\"Surrogate/1.0\"";

enum class Aim { everybody, us, another };

/// The device names behind a directive.
Aim aim_of(std::string_view targets) {
  Aim aim = Aim::everybody;
  while (auto device = next_element(targets, ';')) {
    if (*device == surrogate_device) return Aim::us;
    aim = Aim::another;
  }
  return aim;
}

/// max-age=600 or max-age=600+30; false when malformed or known already.
bool take_max_age(ResponseDirectives& into, std::string_view argument) {
  std::size_t plus = std::min(argument.find('+'), argument.size());
  auto lifetime = read_delta_seconds(argument.substr(0, plus));
  if (!lifetime || into.max_age) return false;
  if (plus < argument.size()) {
    auto extension = read_delta_seconds(argument.substr(plus + 1));
    if (!extension) return false;
    into.stale_while_revalidate = extension;
  }
  into.max_age = lifetime;
  return true;
}

/// Whether it is one that we know.
bool take(ResponseDirectives& into, std::string_view directive) {
  std::size_t equals = std::min(directive.find('='), directive.size());
  std::string_view name = directive.substr(0, equals);
  if (same_name(name, "no-store") || same_name(name, "no-store-remote")) {
    return into.no_store = true;
  }
  if (!same_name(name, "max-age") || equals == directive.size()) return false;
  return take_max_age(into, directive.substr(equals + 1));
}

bool take_aimed(ResponseDirectives& into, std::string_view list, Aim wanted) {
  bool any = false;
  while (auto element = next_element(list)) {
    std::string_view targets = *element;
    auto directive = next_element(targets, ';');
    if (directive && aim_of(targets) == wanted) any |= take(into, *directive);
  }
  return any;
}

}  // namespace

std::optional<ResponseDirectives> read_surrogate_control(Fields response) {
  if (!find(response, "Surrogate-Control")) return std::nullopt;
  std::string list = joined(response, "Surrogate-Control");
  ResponseDirectives directives;
  directives.targeted = true;
  bool for_us = take_aimed(directives, list, Aim::us);
  bool for_all = take_aimed(directives, list, Aim::everybody);
  if (!for_us && !for_all) return std::nullopt;
  return directives;
}

void announce_surrogate(Headers& request) {
  std::string value = joined(request, "Surrogate-Capability");
  if (has_element(value, announced)) return;
  if (!value.empty()) value += ", ";
  request.set("Surrogate-Capability", value.append(announced));
}

}  // namespace relay::http
