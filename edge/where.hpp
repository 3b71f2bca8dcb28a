// Which members of the fleet a URL belongs to, in the order in which they are asked: what
// `torchrelay-edge --where URL` prints. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/base/error.hpp"
#include "edge/settings.hpp"

namespace relay::edge {

/// `url` is absolute ("http://host/path?query") or a target ("/path?query"). Health and load,
/// which only a running edge knows, are not in it. Errors: invalid, as of key_target().
Result<std::string> where(const Settings& settings, std::string_view url);

}  // namespace relay::edge
