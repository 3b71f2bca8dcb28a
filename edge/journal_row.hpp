// A change of one row of the purge journal, as a record of its log tells it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relay::edge {

enum class JournalTable : std::uint8_t { purges, fleet, reaches };

struct JournalRow {
  JournalTable of = JournalTable::purges;
  std::string key;
  std::optional<std::string> value;  // none: the row is to be erased
  bool operator==(const JournalRow&) const = default;
};

void add(std::string& record, const JournalRow& row);
/// Nothing when it is not a record.
std::optional<std::vector<JournalRow>> read_rows(std::string_view record);

/// Takes a number off the front, up to and with `end`.
std::optional<std::uint64_t> take_number(std::string_view& rest, char end);

}  // namespace relay::edge
