// A change of one row of the purge journal, as a record of its log tells it, and the form in which
// a row stands in LMDB, which has no checksums of its own. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relay::edge {

/// `log`, of what was taken over from the log, is never told by a record.
enum class JournalTable : std::uint8_t { purges, fleet, reaches, log };

struct JournalRow {
  JournalTable of = JournalTable::purges;
  std::string key;
  std::optional<std::string> value;  // none: the row is to be erased
  bool operator==(const JournalRow&) const = default;
};

void add(std::string& record, const JournalRow& row);
/// Nothing when it is not a record.
std::optional<std::vector<JournalRow>> read_rows(std::string_view record);

/// A value with its checksum in front of it, which holds for that table and key only.
std::string seal(JournalTable of, std::string_view key, std::string_view value);
/// Nothing when it was damaged. A value of the time before there were seals, which begins with a
/// digit, is given back as it is.
std::optional<std::string_view> unseal(JournalTable of, std::string_view key,
                                       std::string_view sealed);
bool is_sealed(std::string_view value);

/// Takes a number off the front, up to and with `end`.
std::optional<std::uint64_t> take_number(std::string_view& rest, char end);

}  // namespace relay::edge
