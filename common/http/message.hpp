// The values that rules work on: fields, heads of requests and responses. Pure.
//
// Two forms of fields: `Fields` is a view (into a connection's buffer or into a `Headers`), valid
// as long as what it looks into; `Headers` owns its text. Names compare without regard to case.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relay::http {

struct Field {
  std::string_view name;
  std::string_view value;  // without white space around it
};

using Fields = std::span<const Field>;

bool same_name(std::string_view a, std::string_view b);

/// Whether a request of this method asks for no change (RFC 9110 9.2.1).
bool is_safe(std::string_view method);

/// The first field of that name; nullopt when there is none.
std::optional<std::string_view> find(Fields fields, std::string_view name);
std::size_t count(Fields fields, std::string_view name);
/// All values of that name joined by ", " (RFC 9110 5.3); empty when there is none.
std::string joined(Fields fields, std::string_view name);

/// Owned fields in order. Copyable; views into it stay valid until it is changed or destroyed
/// (moving keeps them).
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Field> fields);
  explicit Headers(Fields fields);
  Headers(const Headers& other) : Headers(other.fields()) {}
  Headers(Headers&& other) noexcept;
  Headers& operator=(const Headers& other);
  Headers& operator=(Headers&& other) noexcept;
  ~Headers() = default;

  Fields fields() const { return fields_; }
  operator Fields() const { return fields_; }
  std::optional<std::string_view> find(std::string_view name) const;
  void add(std::string_view name, std::string_view value);
  /// Replaces all fields of that name by one.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  /// "Name: value\r\n" for each.
  void append_to(std::string& text) const;

 private:
  char* room_for(std::size_t bytes);

  std::vector<Field> fields_;
  // Text is only ever added, so that views stay valid; what set() and remove() leave behind goes
  // with the object. A copy is packed.
  std::vector<std::unique_ptr<char[]>> text_;
  char* free_ = nullptr;  // in the newest block
  std::size_t free_bytes_ = 0;
};

enum class BodyKind { none, length, chunked, until_close };

/// How a message's body ends on the wire.
struct BodyFraming {
  BodyKind kind = BodyKind::none;
  std::uint64_t length = 0;  // when kind is length
};

/// A judged request head; views into the connection's buffer, valid until the exchange ends.
struct RequestHead {
  std::string_view method;
  std::string_view target;  // origin-form, begins with "/"
  int minor_version = 1;    // of HTTP/1.x
  Fields fields;
  BodyFraming body;
  bool keep_alive = true;
};

struct ResponseHead {
  int status = 200;
  Headers headers;
};

/// A small whole response.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

/// "Not Found" for 404; "Unknown" for what RFC 9110 does not name.
std::string_view reason_phrase(int status);

}  // namespace relay::http
