// A busy stretch of one HTTP/1.1 connection: read a head, let the gate judge it, call the handler,
// check that the answer is whole, go on or close. Pipelined requests wait in the buffer and are
// answered in order. Ends when the connection does, or when it has become quiet.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "common/http/head.hpp"
#include "common/net/block_pool.hpp"
#include "common/net/body_reader.hpp"
#include "common/net/handler.hpp"
#include "common/net/head_buffer.hpp"
#include "common/net/output.hpp"

namespace relay::net {

enum class SessionEnd { closed, quiet };

class Session final {
 public:
  /// The arguments outlive it; `watched` stands for the connection and hands on to it what follows.
  Session(asio::io_context& io, Socket& socket, Watched& watched, Handler& handler,
          const std::string& peer, std::chrono::milliseconds quiet_wait);
  /// Serves until the connection is closed or was quiet for `quiet_wait`; the session must outlive
  /// this.
  Task<SessionEnd> run();

  void expire();
  void drain();

  // Of whole pages, for they are many after a crowd came, and few of them soon after.
  static void* operator new(std::size_t bytes);
  static void operator delete(void* session);

 private:
  friend class Exchange;
  enum class Answer { none, sized, chunked, until_close, complete, broken };

  enum class Reading { whole, quiet, over };
  Task<Reading> read_head();
  std::size_t read_first();
  Task<void> refuse(http::Refusal refusal);
  Task<bool> end_exchange();
  Task<bool> skip_request_body();
  bool peer_has_ended() const;
  void next_request();
  Task<void> linger();
  void forget_answer();
  void start_exchange(const http::RequestHead& head, std::size_t head_bytes);

  Task<Result<std::size_t>> read_body(std::span<char> into);

  void inform(const http::ResponseHead& interim);
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
  Socket& socket_;
  Watched& watched_;
  Handler& handler_;
  const std::string& peer_;
  const std::chrono::milliseconds quiet_wait_;
  Output output_;

  bool readable_ = true;     // the system said so before this session began
  HeadBuffer buffer_;        // what came in; the present request's head stands at its front
  std::size_t filled_ = 0;   // bytes of buffer_ in use
  std::size_t scanned_ = 0;  // of these, looked at for the end of a head
  std::size_t taken_ = 0;    // of these, belonging to the present request
  http::RequestHead request_;

  BodyReader body_;  // of the request
  bool continue_wanted_ = false;

  std::string out_;  // the answer's head, behind what is left of interim ones
  Answer answer_ = Answer::none;
  int status_ = 0;
  std::uint64_t promised_ = 0;  // bytes of a sized answer still to come
  std::uint64_t body_sent_ = 0;
  bool corked_ = false;
  bool keep_alive_ = true;
  bool draining_ = false;
  bool idle_ = true;
  bool quiet_ = false;  // idle up to the deadline
};
static_assert(sizeof(Session) <= BlockPool::block_bytes);

}  // namespace relay::net
