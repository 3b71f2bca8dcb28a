#include "common/net/body_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <cstring>

namespace relay::net {
namespace {
constexpr std::size_t chunked_input_bytes = 32 * 1024;
}

std::size_t BodyReader::start(http::BodyFraming framing, std::string_view ready) {
  kind_ = framing.kind;
  pace_ = {};
  left_ = framing.length;
  chunks_.reset();
  input_from_ = 0;
  std::size_t take = 0;
  switch (kind_) {
    case http::BodyKind::none:
      done_ = true;
      break;
    case http::BodyKind::length:
      done_ = left_ == 0;
      take = std::min<std::uint64_t>(left_, ready.size());
      break;
    case http::BodyKind::chunked:
      chunks_.emplace();
      [[fallthrough]];
    case http::BodyKind::until_close:
      done_ = false;
      take = ready.size();
      break;
  }
  input_.assign(ready.begin(), ready.begin() + static_cast<std::ptrdiff_t>(take));
  return take;
}

std::string_view BodyReader::rest() const {
  return {input_.data() + input_from_, input_.size() - input_from_};
}

Task<Result<std::size_t>> BodyReader::read(std::span<char> into, std::chrono::milliseconds stall) {
  if (done_ || into.empty()) co_return std::size_t{0};
  if (chunks_) co_return co_await read_chunked(into, stall);
  co_return co_await read_counted(into, stall);
}

/// Some bytes from the socket; 0 only at the end of an until_close body.
Task<Result<std::size_t>> BodyReader::receive(std::span<char> into,
                                              std::chrono::milliseconds stall) {
  SteadyTime begun = steady_now();
  watched_.arm_until(begun + stall);
  waits_ = true;
  auto [error, n] =
      co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), use_result);
  waits_ = false;
  watched_.disarm();
  if (timed_out) co_return fail(ErrorKind::timeout, source_, "the body stalled", true);
  bool keeps_pace = source_ != ErrorSource::client || pace_.keeps(steady_now() - begun, n);
  if (!keeps_pace) co_return fail(ErrorKind::timeout, source_, "the body came too slowly");
  if (!error) co_return n;
  if (error == asio::error::eof && kind_ == http::BodyKind::until_close) co_return std::size_t{0};
  co_return fail(ErrorKind::aborted, source_, "the body ended before its promised length", true);
}

std::size_t BodyReader::from_input(std::span<char> into) {
  std::size_t n = std::min(into.size(), input_.size() - input_from_);
  if (n > 0) std::memcpy(into.data(), input_.data() + input_from_, n);
  input_from_ += n;
  return n;
}

Task<Result<std::size_t>> BodyReader::read_counted(std::span<char> into,
                                                   std::chrono::milliseconds stall) {
  bool counted = kind_ == http::BodyKind::length;
  if (counted) into = into.first(std::min<std::uint64_t>(into.size(), left_));
  std::size_t n = from_input(into);
  if (n == 0) {
    auto received = co_await receive(into, stall);
    if (!received) co_return received;
    n = *received;
  }
  if (counted) left_ -= n;
  done_ = counted ? left_ == 0 : n == 0;
  co_return n;
}

Task<Result<std::size_t>> BodyReader::read_chunked(std::span<char> into,
                                                   std::chrono::milliseconds stall) {
  while (true) {
    // No more input than fits `into` in one step, so that a payload is always taken whole.
    auto step = chunks_->read(rest().substr(0, into.size()));
    if (chunks_->broken()) {
      co_return fail(ErrorKind::invalid, source_, "a broken chunk in the body");
    }
    if (!step.payload.empty()) {
      std::memcpy(into.data(), step.payload.data(), step.payload.size());
      input_from_ += step.consumed;
      done_ = chunks_->done();
      co_return step.payload.size();
    }
    input_from_ += step.consumed;
    if (chunks_->done()) {
      done_ = true;
      co_return std::size_t{0};
    }
    if (step.consumed > 0) continue;
    input_.resize(chunked_input_bytes);
    auto received = co_await receive(input_, stall);
    input_.resize(received.value_or(0));
    input_from_ = 0;
    if (!received) co_return received;
  }
}

}  // namespace relay::net
