#include "common/http/message.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/http/syntax.hpp"

namespace relay::http {

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE";
}

std::optional<std::string_view> find(Fields fields, std::string_view name) {
  for (const Field& field : fields) {
    if (same_name(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t count(Fields fields, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count_if(
      fields, [&](const Field& field) { return same_name(field.name, name); }));
}

std::string joined(Fields fields, std::string_view name) {
  std::string all;
  for (const Field& field : fields) {
    if (!same_name(field.name, name)) continue;
    if (!all.empty()) all += ", ";
    all += field.value;
  }
  return all;
}

Headers::Headers(std::initializer_list<Field> fields)
    : Headers(Fields(fields.begin(), fields.size())) {
}

Headers::Headers(Fields fields) {
  std::size_t bytes = 0;
  for (const Field& field : fields) bytes += field.name.size() + field.value.size();
  if (bytes > 0) {
    text_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
    free_ = text_.back().get();
    free_bytes_ = bytes;
  }
  fields_.reserve(fields.size());
  for (const Field& field : fields) add(field.name, field.value);
}

Headers::Headers(Headers&& other) noexcept
    : fields_(std::move(other.fields_)),
      text_(std::move(other.text_)),
      free_(std::exchange(other.free_, nullptr)),
      free_bytes_(std::exchange(other.free_bytes_, 0)) {
  other.fields_.clear();
  other.text_.clear();
}

Headers& Headers::operator=(const Headers& other) {
  if (this != &other) *this = Headers(other);
  return *this;
}

Headers& Headers::operator=(Headers&& other) noexcept {
  if (this == &other) return *this;
  fields_ = std::exchange(other.fields_, {});
  text_ = std::exchange(other.text_, {});
  free_ = std::exchange(other.free_, nullptr);
  free_bytes_ = std::exchange(other.free_bytes_, 0);
  return *this;
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  return http::find(fields_, name);
}

char* Headers::room_for(std::size_t bytes) {
  constexpr std::size_t block_bytes = 512;
  if (bytes > free_bytes_) {
    free_bytes_ = std::max(bytes, block_bytes);
    text_.push_back(std::make_unique_for_overwrite<char[]>(free_bytes_));
    free_ = text_.back().get();
  }
  free_bytes_ -= bytes;
  return std::exchange(free_, free_ + bytes);
}

void Headers::add(std::string_view name, std::string_view value) {
  if (name.empty() && value.empty()) return;
  constexpr std::size_t usual_fields = 16;
  if (fields_.capacity() == 0) fields_.reserve(usual_fields);
  char* text = room_for(name.size() + value.size());
  std::copy(name.begin(), name.end(), text);
  std::copy(value.begin(), value.end(), text + name.size());
  fields_.push_back(Field{{text, name.size()}, {text + name.size(), value.size()}});
}

void Headers::set(std::string_view name, std::string_view value) {
  auto same = [&](const Field& field) { return same_name(field.name, name); };
  auto first = std::ranges::find_if(fields_, same);
  if (first == fields_.end()) return add(name, value);
  // The first one keeps its place; name and value may be views into this very object.
  auto place = first - fields_.begin();
  add(name, value);
  fields_[place] = fields_.back();
  fields_.pop_back();
  fields_.erase(std::remove_if(fields_.begin() + place + 1, fields_.end(), same), fields_.end());
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) { return same_name(field.name, name); });
}

void Headers::append_to(std::string& text) const {
  constexpr std::size_t around = 4;  // ": " and the end of the line
  std::size_t bytes = text.size();
  for (const Field& field : fields_) bytes += field.name.size() + field.value.size() + around;
  text.reserve(bytes);
  for (const Field& field : fields_) {
    text.append(field.name).append(": ").append(field.value).append("\r\n");
  }
}

namespace {

struct Phrase {
  int status;
  std::string_view text;
};

constexpr Phrase phrases[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
};

}  // namespace

std::string_view reason_phrase(int status) {
  auto found = std::ranges::lower_bound(phrases, status, {}, &Phrase::status);
  return found != std::end(phrases) && found->status == status ? found->text : "Unknown";
}

}  // namespace relay::http
