// Which word was probably meant. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace relay {

/// The dotted name of `known` that is nearest to `name`, by letters inserted, removed or changed;
/// the right last part in the wrong table counts as near. Empty: nothing is near enough.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace relay
