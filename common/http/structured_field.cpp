#include "common/http/structured_field.hpp"

#include <algorithm>

#include "common/http/base64.hpp"
#include "common/http/structured_field_syntax.hpp"
#include "common/http/syntax.hpp"

namespace relay::http::structured {
namespace {

/// The algorithms of RFC 8941 4.2, one function each.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) { skip(" "); }

  /// Only spaces may be left, and no comma may have been the last thing.
  bool finish() {
    skip(" ");
    return rest_.empty() && !open_;
  }
  bool empty() const { return rest_.empty(); }
  void skip(std::string_view bytes) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(bytes), rest_.size()));
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// Between members: white space, a comma, white space, and something behind it.
  bool separator() {
    skip(" \t");
    if (!take(',')) return false;
    skip(" \t");
    open_ = rest_.empty();
    return !open_;
  }

  std::optional<std::string> key() {
    if (rest_.empty() || !is_key_start(rest_.front())) return std::nullopt;
    return take_while(is_key_byte);
  }

  std::optional<Parameters> parameters() {
    Parameters all;
    while (take(';')) {
      skip(" ");
      auto name = key();
      if (!name || all.size() == parameters_max) return std::nullopt;
      BareItem value = true;
      if (take('=')) {
        auto read = bare_item();
        if (!read) return std::nullopt;
        value = std::move(*read);
      }
      auto same = std::ranges::find(all, *name, &Parameter::key);
      if (same == all.end()) {
        all.push_back({std::move(*name), std::move(value)});
      } else {
        same->value = std::move(value);
      }
    }
    return all;
  }

  std::optional<Item> item() {
    auto value = bare_item();
    if (!value) return std::nullopt;
    auto with = parameters();
    if (!with) return std::nullopt;
    return Item{std::move(*value), std::move(*with)};
  }

  std::optional<Member> member() {
    if (take('(')) return inner_list();
    auto read = item();
    if (!read) return std::nullopt;
    return Member(std::move(*read));
  }

 private:
  std::optional<Member> inner_list() {
    InnerList list;
    while (true) {
      skip(" ");
      if (take(')')) break;
      if (list.items.size() == inner_items_max) return std::nullopt;
      auto read = item();
      if (!read || rest_.empty() || (rest_.front() != ' ' && rest_.front() != ')')) {
        return std::nullopt;
      }
      list.items.push_back(std::move(*read));
    }
    auto with = parameters();
    if (!with) return std::nullopt;
    list.parameters = std::move(*with);
    return Member(std::move(list));
  }

  std::optional<BareItem> bare_item() {
    if (rest_.empty()) return std::nullopt;
    char first = rest_.front();
    if (first == '-' || is_digit(first)) return number();
    if (first == '"') return string();
    if (first == ':') return bytes();
    if (first == '?') return boolean();
    if (is_token_start(first)) return Token{take_while(is_token_rest)};
    return std::nullopt;
  }

  std::optional<BareItem> number() {
    std::int64_t sign = take('-') ? -1 : 1;
    std::string whole = take_while(is_digit);
    if (whole.empty() || whole.size() > integer_digits_max) return std::nullopt;
    auto value = static_cast<std::int64_t>(*read_decimal(whole));
    if (!take('.')) return sign * value;
    std::string part = take_while(is_digit);
    if (whole.size() > decimal_digits_max || part.empty() || part.size() > 3) return std::nullopt;
    part.resize(3, '0');
    return Decimal{sign * (value * 1000 + static_cast<std::int64_t>(*read_decimal(part)))};
  }

  std::optional<BareItem> string() {
    take('"');
    std::string text;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return text;
      if (c == '\\') {
        if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\\')) return std::nullopt;
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      if (!is_printable(c)) return std::nullopt;
      text.push_back(c);
    }
    return std::nullopt;
  }

  std::optional<BareItem> bytes() {
    take(':');
    std::size_t length = rest_.find(':');
    if (length == std::string_view::npos) return std::nullopt;
    auto data = decode_base64(rest_.substr(0, length));
    if (!data) return std::nullopt;
    rest_.remove_prefix(length + 1);
    return Bytes{std::move(*data)};
  }

  std::optional<BareItem> boolean() {
    take('?');
    if (take('1')) return true;
    if (take('0')) return false;
    return std::nullopt;
  }

  std::string take_while(bool (*accepts)(char)) {
    auto end = std::ranges::find_if_not(rest_, accepts);
    std::string taken(rest_.begin(), end);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
  bool open_ = false;  // a member must follow
};

}  // namespace

std::optional<Item> read_item(std::string_view text) {
  Reader reader(text);
  auto item = reader.item();
  if (!item || !reader.finish()) return std::nullopt;
  return item;
}

std::optional<List> read_list(std::string_view text) {
  Reader reader(text);
  List list;
  if (reader.empty()) return list;
  do {
    auto member = reader.member();
    if (!member || list.size() == members_max) return std::nullopt;
    list.push_back(std::move(*member));
  } while (reader.separator());
  if (!reader.finish()) return std::nullopt;
  return list;
}

namespace {

bool read_entry(Reader& reader, Dictionary& into) {
  auto key = reader.key();
  if (!key || into.size() == members_max) return false;
  std::optional<Member> value;
  if (reader.take('=')) {
    value = reader.member();
  } else if (auto parameters = reader.parameters()) {
    value = Item{true, std::move(*parameters)};
  }
  if (!value) return false;
  auto same = std::ranges::find(into, *key, &Entry::key);
  if (same == into.end()) {
    into.push_back({std::move(*key), std::move(*value)});
  } else {
    same->value = std::move(*value);
  }
  return true;
}

}  // namespace

std::optional<Dictionary> read_dictionary(std::string_view text) {
  Reader reader(text);
  Dictionary dictionary;
  if (reader.empty()) return dictionary;
  do {
    if (!read_entry(reader, dictionary)) return std::nullopt;
  } while (reader.separator());
  if (!reader.finish()) return std::nullopt;
  return dictionary;
}

const Member* find(const Dictionary& dictionary, std::string_view key) {
  auto found = std::ranges::find(dictionary, key, &Entry::key);
  return found == dictionary.end() ? nullptr : &found->value;
}

const BareItem* find(const Parameters& parameters, std::string_view key) {
  auto found = std::ranges::find(parameters, key, &Parameter::key);
  return found == parameters.end() ? nullptr : &found->value;
}

}  // namespace relay::http::structured
