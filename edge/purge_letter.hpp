// What members write one another about purges, question and answer alike, as JSON. Pure.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/error.hpp"
#include "edge/purge_history.hpp"

namespace relay::edge {

struct PurgeLetter {
  std::string from;     // the member that writes
  PurgeVector reached;  // what it knows when it writes
  PurgeNews news;       // what it thinks that the other one lacks
  // How long others may still build on what this member told them before it knew all that it says
  // it knows (fleet/trust). Nothing: it does not say.
  std::optional<std::map<std::string, std::chrono::milliseconds>> lent;
  bool lends = true;  // in answers: whether the other one may build on this being all
  bool operator==(const PurgeLetter&) const = default;
};

/// No letter is larger: news are bounded (PurgeHistory), and members_max vectors of names.
inline constexpr std::size_t letter_bytes_max = 2 << 20;
inline constexpr std::size_t letter_members_max = 1'024;

std::string encode(const PurgeLetter& letter);
/// Errors: invalid, saying what is wrong.
Result<PurgeLetter> decode_letter(std::string_view json);

}  // namespace relay::edge
