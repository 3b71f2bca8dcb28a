#include "origin/live/rtmp/amf.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <optional>

namespace relay::origin::live::rtmp {
namespace {

enum Marker : unsigned char {
  number_marker = 0,
  boolean_marker = 1,
  string_marker = 2,
  object_marker = 3,
  null_marker = 5,
  undefined_marker = 6,
  ecma_array_marker = 8,
  object_end_marker = 9,
  strict_array_marker = 10,
  date_marker = 11,
  long_string_marker = 12,
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  Result<std::vector<Amf>> all() {
    std::vector<Amf> values;
    while (!bytes_.empty() && !why_) values.push_back(value(0));
    if (why_) return bad_input(fmt::format("AMF: {}", *why_));
    return values;
  }

 private:
  Amf value(std::size_t depth) {
    if (depth > amf_depth_max) return wrong("nested too deep");
    if (++count_ > amf_values_max) return wrong("too many values");
    auto marker = static_cast<unsigned char>(integer(1));
    switch (why_ ? null_marker : marker) {
      case number_marker:
        return std::bit_cast<double>(integer(8));
      case boolean_marker: {
        Amf flag;
        flag.value = integer(1) != 0;
        return flag;
      }
      case string_marker:
        return std::string(take(integer(2)));
      case long_string_marker:
        return std::string(take(integer(4)));
      case ecma_array_marker:
        integer(4);  // how many members: a hint only
        return members(depth);
      case object_marker:
        return members(depth);
      case strict_array_marker:
        for (std::uint64_t left = integer(4); left > 0 && !why_; --left) value(depth + 1);
        return {};
      case date_marker:
        take(10);
        return {};
      case null_marker:
      case undefined_marker:
        return {};
      default:
        return wrong(fmt::format("type {} is not taken here", marker));
    }
  }

  Amf members(std::size_t depth) {
    Amf::Object object;
    while (!why_) {
      std::string name(take(integer(2)));
      if (name.empty() && !bytes_.empty() && bytes_.front() == object_end_marker) {
        take(1);
        break;
      }
      object.emplace_back(std::move(name), value(depth + 1));
    }
    return object;
  }

  std::uint64_t integer(std::size_t bytes) {
    std::uint64_t number = 0;
    for (char c : take(bytes)) number = number << 8 | static_cast<unsigned char>(c);
    return number;
  }

  std::string_view take(std::uint64_t count) {
    if (bytes_.size() < count) {
      wrong("ends in the middle of a value");
      return {};
    }
    std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

  Amf wrong(std::string why) {
    if (!why_) why_ = std::move(why);
    return {};
  }

  std::string_view bytes_;
  std::size_t count_ = 0;
  std::optional<std::string> why_;
};

void append_integer(std::string& into, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    into += static_cast<char>(value >> shift & 0xff);
}

void append_name(std::string& into, std::string_view name) {
  append_integer(into, name.size(), 2);
  into += name;
}

struct Writer {
  std::string& into;
  void operator()(AmfNull) const { into += static_cast<char>(null_marker); }
  void operator()(double number) const {
    into += static_cast<char>(number_marker);
    append_integer(into, std::bit_cast<std::uint64_t>(number), 8);
  }
  void operator()(bool flag) const {
    into += static_cast<char>(boolean_marker);
    append_integer(into, flag, 1);
  }
  void operator()(const std::string& text) const {
    bool is_long = text.size() > 0xffff;
    into += static_cast<char>(is_long ? long_string_marker : string_marker);
    append_integer(into, text.size(), is_long ? 4 : 2);
    into += text;
  }
  void operator()(const Amf::Object& members) const {
    into += static_cast<char>(object_marker);
    for (const auto& [name, value] : members) {
      append_name(into, name);
      std::visit(*this, value.value);
    }
    append_name(into, "");
    into += static_cast<char>(object_end_marker);
  }
};

}  // namespace

std::string_view Amf::text() const {
  const auto* text = std::get_if<std::string>(&value);
  return text ? std::string_view(*text) : std::string_view();
}

double Amf::number() const {
  const auto* number = std::get_if<double>(&value);
  return number ? *number : 0;
}

const Amf* Amf::member(std::string_view name) const {
  const auto* members = std::get_if<Object>(&value);
  if (!members) return nullptr;
  for (const auto& [each, member] : *members)
    if (each == name) return &member;
  return nullptr;
}

Result<std::vector<Amf>> read_amf(std::string_view bytes) {
  return Reader(bytes).all();
}

std::string write_amf(const std::vector<Amf>& values) {
  std::string bytes;
  for (const Amf& value : values) std::visit(Writer{bytes}, value.value);
  return bytes;
}

}  // namespace relay::origin::live::rtmp
