#include "origin/json_outline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace relay::origin {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

/// Bytes of the UTF-8 character (RFC 3629) that `text` begins with; 0: it begins with none.
std::size_t character_bytes(std::string_view text) {
  auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  auto goes_on = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return text.empty() ? 0 : 1;
  if (first >= 0xC2 && first <= 0xDF) return goes_on(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    bool overlong = first == 0xE0 && second < 0xA0;
    bool surrogate = first == 0xED && second > 0x9F;
    return goes_on(1) && goes_on(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    bool overlong = first == 0xF0 && second < 0x90;
    bool beyond = first == 0xF4 && second > 0x8F;
    return goes_on(1) && goes_on(2) && goes_on(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

/// ' and the quotes that word processors make of ".
bool is_other_quote(std::string_view character) {
  constexpr std::string_view quotes[] = {"'", "`", "‘", "’", "“", "”", "„", "«", "»"};
  return std::ranges::find(quotes, character) != std::end(quotes);
}

class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {}

  std::expected<std::vector<JsonMember>, JsonMistake> run() {
    if (text_.starts_with("\xEF\xBB\xBF")) {
      wrong(0, "it begins with a byte order mark; leave that out");
    } else if (value()) {
      blanks();
      if (at_ < text_.size()) unexpected("the end", "behind the whole value");
    }
    if (mistaken_) return std::unexpected(std::move(mistake_));
    return std::move(members_);
  }

 private:
  // Each of these takes one thing off the text; false: there was a mistake, and nothing goes on.
  bool value();
  bool object();
  bool array();
  bool member();
  bool string(std::string_view expected);
  bool character(std::size_t begin);
  bool escape();
  std::optional<unsigned> take_code();
  bool number();
  bool digits(std::string_view where);
  bool word();

  void blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  bool wrong(std::size_t offset, std::string what) {
    mistaken_ = true;
    mistake_ = {offset, std::move(what)};
    return false;
  }
  bool unexpected(std::string_view expected, std::string_view where);
  std::string found() const;

  std::string_view text_;
  std::size_t at_ = 0, depth_ = 0;
  std::vector<JsonMember> members_;
  bool mistaken_ = false;
  JsonMistake mistake_;
};

std::string Walk::found() const {
  if (at_ >= text_.size()) return "the end of the text";
  std::size_t length = character_bytes(text_.substr(at_));
  auto byte = static_cast<unsigned char>(text_[at_]);
  if (length == 0) return fmt::format("the byte 0x{:02X}, which is not UTF-8", byte);
  if (byte < 0x20 || byte == 0x7F) return fmt::format("the control character 0x{:02X}", byte);
  std::string_view character = text_.substr(at_, length);
  if (is_other_quote(character)) return fmt::format("{} (JSON's only quote is \")", character);
  return fmt::format("'{}'", character);
}

bool Walk::unexpected(std::string_view expected, std::string_view where) {
  std::string_view gap = where.empty() ? "" : " ";
  return wrong(at_, fmt::format("expected {}{}{}, found {}", expected, gap, where, found()));
}

bool Walk::value() {
  blanks();
  char c = at_ < text_.size() ? text_[at_] : '\0';
  if (c == '"') return string("");
  if (c == '-' || is_digit(c)) return number();
  if (is_letter(c)) return word();
  if (c != '{' && c != '[') return unexpected("a value", "");
  if (depth_ == json_depth_max) {
    return wrong(at_, fmt::format("values are nested deeper than {} levels", json_depth_max));
  }
  ++depth_;
  bool whole = c == '{' ? object() : array();
  --depth_;
  return whole;
}

bool Walk::object() {
  take('{');
  blanks();
  if (take('}')) return true;
  while (true) {
    if (!member()) return false;
    blanks();
    if (take('}')) return true;
    if (!take(',')) return unexpected("',' or '}'", "behind the member");
    blanks();
    if (next_is('}')) return wrong(at_, "expected another member behind ',', found '}'");
  }
}

bool Walk::member() {
  blanks();
  std::size_t name_at = at_;
  if (!string("a member's name in double quotes")) return false;
  std::string_view name = text_.substr(name_at, at_ - name_at);
  blanks();
  if (!take(':')) return unexpected("':'", fmt::format("behind {}", name));
  blanks();
  if (depth_ == 1) members_.push_back({name, name_at, at_});
  return value();
}

bool Walk::array() {
  take('[');
  blanks();
  if (take(']')) return true;
  while (true) {
    if (!value()) return false;
    blanks();
    if (take(']')) return true;
    if (!take(',')) return unexpected("',' or ']'", "behind the element");
    blanks();
    if (next_is(']')) return wrong(at_, "expected another element behind ',', found ']'");
  }
}

bool Walk::string(std::string_view expected) {
  std::size_t begin = at_;
  if (!take('"')) return unexpected(expected, "");
  while (!take('"')) {
    if (!character(begin)) return false;
  }
  return true;
}

/// One character of the string that began at `begin`.
bool Walk::character(std::size_t begin) {
  bool ended = at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '\r';
  if (ended) return wrong(begin, "the string that begins here has no closing \" in its line");
  auto byte = static_cast<unsigned char>(text_[at_]);
  if (byte == '\\') return escape();
  std::size_t length = character_bytes(text_.substr(at_));
  if (length == 0) return wrong(at_, fmt::format("the byte 0x{:02X} is not UTF-8", byte));
  if (byte < 0x20) {
    return wrong(at_, fmt::format("a control character must be written as \\u{:04x}", byte));
  }
  at_ += length;
  return true;
}

bool Walk::escape() {
  constexpr std::string_view short_ones = "\"\\/bfnrt";
  if (at_ + 1 < text_.size() && short_ones.contains(text_[at_ + 1])) {
    at_ += 2;
    return true;
  }
  std::size_t begin = at_;
  auto code = take_code();
  if (!code) {
    return wrong(at_, "expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u and four digits");
  }
  bool first_half = *code >= 0xD800 && *code <= 0xDBFF;
  bool second_half = *code >= 0xDC00 && *code <= 0xDFFF;
  auto other = first_half ? take_code() : std::nullopt;
  bool pair = other && *other >= 0xDC00 && *other <= 0xDFFF;
  if (second_half || (first_half && !pair)) {
    return wrong(begin, "this is half of a surrogate pair");
  }
  return true;
}

/// "\u00e9" and its kin; what is something else stays.
std::optional<unsigned> Walk::take_code() {
  constexpr std::size_t begin_bytes = 2, hex_digits = 4;
  std::string_view rest = text_.substr(at_);
  if (!rest.starts_with("\\u") || rest.size() < begin_bytes + hex_digits) return std::nullopt;
  std::string_view hex = rest.substr(begin_bytes, hex_digits);
  if (!std::ranges::all_of(hex, is_hex)) return std::nullopt;
  unsigned code = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
  at_ += begin_bytes + hex_digits;
  return code;
}

bool Walk::digits(std::string_view where) {
  if (at_ >= text_.size() || !is_digit(text_[at_])) return unexpected("a digit", where);
  while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  return true;
}

bool Walk::number() {
  bool negative = take('-');
  std::size_t begin = at_;
  if (!digits(negative ? "behind '-'" : "")) return false;
  if (text_[begin] == '0' && at_ - begin > 1) {
    return wrong(begin, "a number must not begin with 0");
  }
  if (take('.') && !digits("behind '.'")) return false;
  if (!take('e') && !take('E')) return true;
  if (!take('+')) take('-');
  return digits("in the exponent");
}

bool Walk::word() {
  constexpr std::string_view words[] = {"true", "false", "null"};
  auto rest = text_.substr(at_);
  auto end = std::ranges::find_if_not(rest, [](char c) { return is_letter(c) || is_digit(c); });
  std::string_view found = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  if (std::ranges::find(words, found) == std::end(words)) {
    constexpr std::size_t shown_max = 40;
    return wrong(at_, fmt::format("expected a value, found {}; text needs double quotes",
                                  found.substr(0, shown_max)));
  }
  at_ += found.size();
  return true;
}

}  // namespace

std::expected<std::vector<JsonMember>, JsonMistake> outline_json(std::string_view text) {
  return Walk(text).run();
}

std::string place_in(std::string_view text, std::size_t offset) {
  std::string_view before = text.substr(0, offset);
  auto line = std::ranges::count(before, '\n') + 1;
  std::string_view in_line = before.substr(before.rfind('\n') + 1);  // npos + 1 is 0
  auto column = std::ranges::count_if(
      in_line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return fmt::format("line {}, column {}", line, column + 1);
}

}  // namespace relay::origin
