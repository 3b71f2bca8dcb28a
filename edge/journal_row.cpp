// A row: "TABLE SIZE KEY", then "1 SIZE VALUE", or "0 " for one to erase.
// A sealed value: a byte that no text begins with, the 32 digits of the XXH3-128 of row, and text.
#include "edge/journal_row.hpp"

#include <charconv>
#include <utility>

#include "common/base/hash.hpp"

namespace relay::edge {
namespace {

constexpr char seal_mark = '\x02';
constexpr std::size_t seal_bytes = 1 + 32;

void add_text(std::string& to, std::string_view text) {
  to += std::to_string(text.size());
  to += ' ';
  to += text;
}

std::optional<std::string> take_text(std::string_view& rest) {
  auto size = take_number(rest, ' ');
  if (!size || *size > rest.size()) return std::nullopt;
  std::string text(rest.substr(0, *size));
  rest.remove_prefix(*size);
  return text;
}

std::optional<JournalRow> take_row(std::string_view& rest) {
  auto table = take_number(rest, ' ');
  auto key = table && *table <= static_cast<unsigned>(JournalTable::reaches) ? take_text(rest)
                                                                             : std::nullopt;
  auto put = key ? take_number(rest, ' ') : std::nullopt;
  if (!put || *put > 1) return std::nullopt;
  JournalRow row{static_cast<JournalTable>(*table), std::move(*key), std::nullopt};
  if (*put == 0) return row;
  row.value = take_text(rest);
  return row.value ? std::optional(std::move(row)) : std::nullopt;
}

}  // namespace

void add(std::string& record, const JournalRow& row) {
  record += std::to_string(static_cast<int>(row.of));
  record += ' ';
  add_text(record, row.key);
  record += row.value ? "1 " : "0 ";
  if (row.value) add_text(record, *row.value);
}

std::optional<std::vector<JournalRow>> read_rows(std::string_view record) {
  std::vector<JournalRow> rows;
  while (!record.empty()) {
    auto row = take_row(record);
    if (!row) return std::nullopt;
    rows.push_back(std::move(*row));
  }
  return rows;
}

std::string seal(JournalTable of, std::string_view key, std::string_view value) {
  std::string row;
  add(row, {of, std::string(key), std::string(value)});
  std::string sealed(1, seal_mark);
  sealed += to_hex(digest128(row));
  return sealed.append(value);
}

std::optional<std::string_view> unseal(JournalTable of, std::string_view key,
                                       std::string_view sealed) {
  if (!is_sealed(sealed)) {
    bool older = !sealed.empty() && sealed[0] >= '0' && sealed[0] <= '9';
    return older ? std::optional(sealed) : std::nullopt;
  }
  if (sealed.size() < seal_bytes) return std::nullopt;
  std::string_view value = sealed.substr(seal_bytes);
  return seal(of, key, value) == sealed ? std::optional(value) : std::nullopt;
}

bool is_sealed(std::string_view value) {
  return value.starts_with(seal_mark);
}

std::optional<std::uint64_t> take_number(std::string_view& rest, char end) {
  std::uint64_t value = 0;
  auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  auto at = static_cast<std::size_t>(stop - rest.data());
  if (error != std::errc{} || at == rest.size() || rest[at] != end) return std::nullopt;
  rest.remove_prefix(at + 1);
  return value;
}

}  // namespace relay::edge
