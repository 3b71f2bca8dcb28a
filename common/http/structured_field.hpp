// Structured Fields (RFC 8941): items, lists, dictionaries, read strictly and written canonically.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace relay::http::structured {

struct Token {
  std::string text;
  bool operator==(const Token&) const = default;
};

struct Bytes {
  std::string data;  // decoded
  bool operator==(const Bytes&) const = default;
};

/// A decimal has at most three digits behind the point: kept as thousandths.
struct Decimal {
  std::int64_t thousandths = 0;
  bool operator==(const Decimal&) const = default;
};

using BareItem = std::variant<std::int64_t, Decimal, std::string, Token, Bytes, bool>;

struct Parameter {
  std::string key;
  BareItem value;
  bool operator==(const Parameter&) const = default;
};
using Parameters = std::vector<Parameter>;

struct Item {
  BareItem value;
  Parameters parameters;
  bool operator==(const Item&) const = default;
};

struct InnerList {
  std::vector<Item> items;
  Parameters parameters;
  bool operator==(const InnerList&) const = default;
};

using Member = std::variant<Item, InnerList>;
using List = std::vector<Member>;

struct Entry {
  std::string key;
  Member value;
  bool operator==(const Entry&) const = default;
};
using Dictionary = std::vector<Entry>;

/// nullopt for any violation. Lists and dictionaries may be empty; several fields are joined by
/// ", " before. A repeated key keeps its place and takes the last value. At most
/// 1024 members, 256 parameters or items of an inner list each.
std::optional<Item> read_item(std::string_view text);
std::optional<List> read_list(std::string_view text);
std::optional<Dictionary> read_dictionary(std::string_view text);

/// nullopt when a value cannot be written (a key or token of wrong bytes, a string that is not
/// printable ASCII, a number out of range).
std::optional<std::string> write(const Item& item);
std::optional<std::string> write(const List& list);
std::optional<std::string> write(const Dictionary& dictionary);

/// The value of that key; nullptr when there is none or it is of another type.
const Member* find(const Dictionary& dictionary, std::string_view key);
const BareItem* find(const Parameters& parameters, std::string_view key);
template <class Value>
const Value* find_value(const Dictionary& dictionary, std::string_view key) {
  const Member* member = find(dictionary, key);
  const Item* item = member ? std::get_if<Item>(member) : nullptr;
  return item ? std::get_if<Value>(&item->value) : nullptr;
}

}  // namespace relay::http::structured
