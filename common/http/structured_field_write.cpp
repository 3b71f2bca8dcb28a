#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "common/http/base64.hpp"
#include "common/http/structured_field.hpp"
#include "common/http/structured_field_syntax.hpp"

namespace relay::http::structured {
namespace {

constexpr std::int64_t most = 999'999'999'999'999;  // of an integer, and of thousandths

/// RFC 8941 4.1; the first value that cannot be written spoils the whole.
class Writer {
 public:
  std::optional<std::string> finish() {
    if (!good_) return std::nullopt;
    return std::move(text_);
  }

  void literal(std::string_view text) { text_ += text; }

  void key(std::string_view text) {
    require(!text.empty() && is_key_start(text.front()) && std::ranges::all_of(text, is_key_byte));
    text_ += text;
  }

  void item(const Item& item) {
    bare(item.value);
    parameters(item.parameters);
  }

  void inner_list(const InnerList& list) {
    text_ += '(';
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) text_ += ' ';
      item(list.items[i]);
    }
    text_ += ')';
    parameters(list.parameters);
  }

  void member(const Member& member) {
    if (const auto* list = std::get_if<InnerList>(&member)) return inner_list(*list);
    item(std::get<Item>(member));
  }

  void parameters(const Parameters& all) {
    for (const Parameter& parameter : all) {
      text_ += ';';
      key(parameter.key);
      if (parameter.value == BareItem(true)) continue;
      text_ += '=';
      bare(parameter.value);
    }
  }

 private:
  void require(bool condition) { good_ = good_ && condition; }

  void bare(const BareItem& value) {
    std::visit([this](const auto& of_type) { put(of_type); }, value);
  }

  void put(std::int64_t number) {
    require(number >= -most && number <= most);
    fmt::format_to(std::back_inserter(text_), "{}", number);
  }

  void put(const Decimal& decimal) {
    require(decimal.thousandths >= -most && decimal.thousandths <= most);
    std::int64_t size = std::abs(decimal.thousandths);
    std::string part = fmt::format("{:03}", size % 1000);
    while (part.size() > 1 && part.back() == '0') part.pop_back();
    fmt::format_to(std::back_inserter(text_), "{}{}.{}", decimal.thousandths < 0 ? "-" : "",
                   size / 1000, part);
  }

  void put(const std::string& string) {
    require(std::ranges::all_of(string, is_printable));
    text_ += '"';
    for (char c : string) {
      if (c == '"' || c == '\\') text_ += '\\';
      text_ += c;
    }
    text_ += '"';
  }

  void put(const Token& token) {
    require(!token.text.empty() && is_token_start(token.text.front()) &&
            std::ranges::all_of(token.text, is_token_rest));
    text_ += token.text;
  }

  void put(const Bytes& bytes) {
    text_ += ':';
    append_base64(text_, bytes.data);
    text_ += ':';
  }

  void put(bool boolean) { text_ += boolean ? "?1" : "?0"; }

  std::string text_;
  bool good_ = true;
};

}  // namespace

std::optional<std::string> write(const Item& item) {
  Writer writer;
  writer.item(item);
  return writer.finish();
}

std::optional<std::string> write(const List& list) {
  Writer writer;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) writer.literal(", ");
    writer.member(list[i]);
  }
  return writer.finish();
}

std::optional<std::string> write(const Dictionary& dictionary) {
  Writer writer;
  for (std::size_t i = 0; i < dictionary.size(); ++i) {
    const Entry& entry = dictionary[i];
    if (i > 0) writer.literal(", ");
    writer.key(entry.key);
    const auto* item = std::get_if<Item>(&entry.value);
    if (item && item->value == BareItem(true)) {
      writer.parameters(item->parameters);
    } else {
      writer.literal("=");
      writer.member(entry.value);
    }
  }
  return writer.finish();
}

}  // namespace relay::http::structured
