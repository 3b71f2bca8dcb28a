#include "common/base/error.hpp"

#include <cerrno>
#include <system_error>

namespace relay {

const char* name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid:
      return "invalid";
    case ErrorKind::denied:
      return "denied";
    case ErrorKind::forbidden:
      return "forbidden";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::conflict:
      return "conflict";
    case ErrorKind::too_large:
      return "too_large";
    case ErrorKind::no_space:
      return "no_space";
    case ErrorKind::timeout:
      return "timeout";
    case ErrorKind::unavailable:
      return "unavailable";
    case ErrorKind::aborted:
      return "aborted";
    case ErrorKind::corrupt:
      return "corrupt";
    case ErrorKind::internal:
      return "internal";
  }
  return "internal";
}

const char* name(ErrorSource source) {
  switch (source) {
    case ErrorSource::client:
      return "client";
    case ErrorSource::upstream:
      return "upstream";
    case ErrorSource::disk:
      return "disk";
    case ErrorSource::internal:
      return "internal";
  }
  return "internal";
}

Error disk_error(std::string what, int errno_value) {
  bool full = errno_value == ENOSPC || errno_value == EDQUOT;
  return Error{full ? ErrorKind::no_space : ErrorKind::internal, ErrorSource::disk, full,
               std::move(what) + ": " + std::generic_category().message(errno_value)};
}

}  // namespace relay
