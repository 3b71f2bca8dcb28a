// What an edge tells the others of itself with each health answer: what it holds and what it has
// done since its start; and what two such answers say of its load. Pure: time is given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"

namespace relay::edge::fleet {

struct Figures {
  std::uint64_t objects = 0, body_bytes = 0;   // held now
  std::uint64_t requests = 0, sent_bytes = 0;  // since its start, of viewers and of other edges
  bool operator==(const Figures&) const = default;
};

/// A JSON object of some 100 bytes.
std::string encode(const Figures& figures);
/// Errors: invalid.
Result<Figures> decode_figures(std::string_view text);
inline constexpr std::size_t figures_bytes_max = 4096;

/// The newest figures of one edge, and its load between them and the ones before.
struct Told {
  Figures figures;
  SteadyTime at{};
  double requests_per_s = 0, sent_bytes_per_s = 0;
};

/// Counts that went back are those of a new start.
Told tell(const std::optional<Told>& before, const Figures& figures, SteadyTime now);

}  // namespace relay::edge::fleet
