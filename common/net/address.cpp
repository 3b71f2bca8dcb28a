#include "common/net/address.hpp"

#include <boost/asio/ip/address.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <stdexcept>

namespace relay::net {

namespace asio = boost::asio;

asio::ip::tcp::endpoint parse_address(const std::string& text) {
  std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon == std::string::npos ? 0 : colon);
  if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  auto address = asio::ip::make_address(host, error);
  int port = -1;
  if (colon != std::string::npos && colon + 1 < text.size()) {
    port = std::atoi(text.c_str() + colon + 1);
  }
  if (error || port < 0 || port > 65535) {
    throw std::runtime_error(
        fmt::format("cannot listen on '{}': want ADDRESS:PORT, such as 127.0.0.1:7101", text));
  }
  return {address, static_cast<unsigned short>(port)};
}

}  // namespace relay::net
