// The Date field's value for now, formatted once a second a thread.
#pragma once

#include <string>

namespace relay::net {

/// Valid until this thread's next call in a later second; copy it to keep it.
const std::string& date_text();

}  // namespace relay::net
