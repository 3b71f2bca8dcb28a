// An error says what failed, whose fault it is, and whether trying again can help. Status codes,
// log lines and retries follow from these fields, never from the text.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace relay {

enum class ErrorKind {
  invalid,    // the input breaks a rule; the message names the rule and what is allowed
  denied,     // no valid key (401)
  forbidden,  // a valid key for something else (403)
  not_found,
  conflict,     // the state does not allow it now
  too_large,    // over a named limit
  no_space,     // the disk or the budget is full
  timeout,      // no progress within the deadline
  unavailable,  // refused, unreachable, overloaded
  aborted,      // the other side stopped in the middle
  corrupt,      // stored or received bytes do not match their digest or promise
  internal,     // our own fault
};

enum class ErrorSource { client, upstream, disk, internal };

struct Error {
  ErrorKind kind = ErrorKind::internal;
  ErrorSource source = ErrorSource::internal;
  bool retry = false;
  std::string message;  // a sentence for a person, lower case, without a full stop
};

/// Between rooms: a value or an Error. (libstdc++ 12 has no monadic members: test and return.)
template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorKind kind, ErrorSource source, std::string message,
                                   bool retry = false) {
  return std::unexpected(Error{kind, source, retry, std::move(message)});
}

/// The client sent something that breaks a rule.
inline std::unexpected<Error> bad_input(std::string message) {
  return fail(ErrorKind::invalid, ErrorSource::client, std::move(message));
}

/// The same error, told with what it stood in the way of: "cannot open X: cannot read an open
/// file".
inline std::unexpected<Error> fail_for(const std::string& what, Error why) {
  why.message = what + ": " + why.message;
  return std::unexpected(std::move(why));
}

/// The word for logs and metrics.
const char* name(ErrorKind kind);
const char* name(ErrorSource source);

/// An Error from errno after a system call on local storage; ENOSPC and EDQUOT become no_space.
Error disk_error(std::string what, int errno_value);

}  // namespace relay
