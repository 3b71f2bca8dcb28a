#include <utility>

#include "common/net/session.hpp"

namespace relay::net {

const http::RequestHead& Exchange::request() const {
  return session_.request_;
}
asio::io_context& Exchange::io() const {
  return session_.io_;
}
const std::string& Exchange::peer() const {
  return session_.peer_;
}
int Exchange::status() const {
  return session_.status_;
}
std::uint64_t Exchange::body_bytes_sent() const {
  return session_.body_sent_;
}
bool Exchange::complete() const {
  return session_.answer_ == Session::Answer::complete;
}

Task<Result<std::size_t>> Exchange::read_body(std::span<char> into) {
  return session_.read_body(into);
}
void Exchange::inform(const http::ResponseHead& interim) {
  session_.inform(interim);
}
Task<Result<void>> Exchange::respond(http::Response response) {
  return session_.respond(std::move(response));
}
Task<Result<void>> Exchange::begin(http::ResponseHead head, std::optional<std::uint64_t> length) {
  return session_.begin(std::move(head), length);
}
std::string Exchange::head_buffer() {
  return std::exchange(session_.out_, {});
}
Task<Result<void>> Exchange::begin_raw(std::string head_text, int status, std::uint64_t length,
                                       std::string_view first_body) {
  return session_.begin_raw(std::move(head_text), status, length, first_body);
}
Task<Result<void>> Exchange::write(std::string_view bytes) {
  return session_.write(bytes);
}
Task<Result<void>> Exchange::write_files(std::span<const FilePiece> pieces) {
  return session_.write_files(pieces);
}
Task<Result<void>> Exchange::finish() {
  return session_.finish();
}

void Exchange::abort() {
  session_.answer_ = Session::Answer::broken;
  reset_connection(session_.socket_);
}

}  // namespace relay::net
