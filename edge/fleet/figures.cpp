#include "edge/fleet/figures.hpp"

#include <boost/json.hpp>

#include <utility>

namespace relay::edge::fleet {
namespace {

namespace json = boost::json;

bool read_count(const json::object& object, std::string_view name, std::uint64_t& into) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return false;
  boost::system::error_code error;
  into = value->to_number<std::uint64_t>(error);
  return !error;
}

}  // namespace

std::string encode(const Figures& figures) {
  return json::serialize(json::object{{"objects", figures.objects},
                                      {"body_bytes", figures.body_bytes},
                                      {"requests", figures.requests},
                                      {"sent_bytes", figures.sent_bytes}});
}

Result<Figures> decode_figures(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  const json::object* object = error ? nullptr : value.if_object();
  Figures figures;
  bool fits = object != nullptr && read_count(*object, "objects", figures.objects) &&
              read_count(*object, "body_bytes", figures.body_bytes) &&
              read_count(*object, "requests", figures.requests) &&
              read_count(*object, "sent_bytes", figures.sent_bytes);
  if (!fits) return bad_input("not the figures of an edge");
  return figures;
}

Told tell(const std::optional<Told>& before, const Figures& figures, SteadyTime now) {
  Told told{figures, now, 0, 0};
  if (!before || now <= before->at) return told;
  double seconds = std::chrono::duration<double>(now - before->at).count();
  auto rate = [&](std::uint64_t then, std::uint64_t count) {
    return static_cast<double>(count - (count < then ? 0 : then)) / seconds;
  };
  told.requests_per_s = rate(before->figures.requests, figures.requests);
  told.sent_bytes_per_s = rate(before->figures.sent_bytes, figures.sent_bytes);
  return told;
}

}  // namespace relay::edge::fleet
