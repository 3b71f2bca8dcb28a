// Addresses to listen on, as the settings spell them.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <string>

namespace relay::net {

/// "127.0.0.1:7101" or "[::1]:7101"; port 0 picks one. Throws std::runtime_error with what is wrong
/// and what is allowed (start-up only).
boost::asio::ip::tcp::endpoint parse_address(const std::string& text);

}  // namespace relay::net
