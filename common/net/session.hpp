// One HTTP/1.1 connection from its first byte to its last: read a head, let the gate judge it,
// call the handler, check that the answer is whole, go on or close. Pipelined requests wait in
// the buffer and are answered in order.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/http/head.hpp"
#include "common/net/body_reader.hpp"
#include "common/net/handler.hpp"
#include "common/net/head_buffer.hpp"
#include "common/net/output.hpp"

namespace relay::net {

class Session final : public Watched {
 public:
  Session(asio::io_context& io, Socket socket, Handler& handler, std::string peer);
  /// Serves until the connection ends; the session must outlive this.
  Task<void> run();

  void expire() override;
  void drain() override;

 private:
  friend class Exchange;
  enum class Answer { none, sized, chunked, until_close, complete, broken };

  Task<bool> read_head();
  Task<bool> rest(SteadyTime until);
  void give_buffers_back();
  Task<bool> fill(SteadyTime until);
  Task<void> refuse(http::Refusal refusal);
  Task<bool> end_exchange();
  Task<bool> skip_request_body();
  void next_request();
  Task<void> linger();
  void forget_answer();
  void start_exchange(const http::RequestHead& head, std::size_t head_bytes);

  Task<Result<std::size_t>> read_body(std::span<char> into);

  Task<Result<void>> respond(http::Response response);
  Task<Result<void>> begin(http::ResponseHead head, std::optional<std::uint64_t> length);
  Task<Result<void>> begin_raw(std::string head_text, int status, std::uint64_t length,
                               std::string_view first_body);
  Task<Result<void>> write(std::string_view bytes);
  Task<Result<void>> write_files(std::span<const FilePiece> pieces);
  Task<Result<void>> finish();
  Result<void> track(Result<void> sent);
  Task<Result<void>> send_head(std::string_view body, bool more);
  void append_connection();
  void settle();
  void cork(bool on);
  bool head_only() const { return request_.method == "HEAD"; }

  asio::io_context& io_;
  Socket socket_;
  Handler& handler_;
  std::string peer_;
  Output output_;

  HeadBuffer buffer_;        // what came in; the present request's head stands at its front
  std::size_t filled_ = 0;   // bytes of buffer_ in use
  std::size_t scanned_ = 0;  // of these, looked at for the end of a head
  std::size_t taken_ = 0;    // of these, belonging to the present request
  http::RequestHead request_;

  BodyReader body_;  // of the request
  bool continue_wanted_ = false;

  std::string out_;  // the answer's head
  Answer answer_ = Answer::none;
  int status_ = 0;
  std::uint64_t promised_ = 0;  // bytes of a sized answer still to come
  std::uint64_t body_sent_ = 0;
  bool corked_ = false;
  bool keep_alive_ = true;
  bool draining_ = false;
  bool idle_ = true;
  bool may_rest_ = false;  // idle with buffers: at the deadline only these go
  bool rest_due_ = false;  // and it has come
};

/// Owns the session of an accepted socket until it ends.
Task<void> serve(asio::io_context& io, Socket socket, Handler& handler, std::string peer);

}  // namespace relay::net
