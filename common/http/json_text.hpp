// JSON as people like to read it in a terminal: numbers without exponents. Pure.
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace relay::http {

/// One line without a line break, for answers and events.
std::string json_text(const boost::json::value& value);

}  // namespace relay::http
