// A request from outside of the fleet, of a viewer or an operator, on a connection of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tests/simulation/network.hpp"

namespace relay::simulation {

inline constexpr int outside_host = 0;
inline constexpr int origin_host = 100;

/// How a request ended.
struct Answer {
  enum class End {
    whole,      // the answer came, to its promised end
    refused,    // nobody listens there
    broken,     // the connection ended before the answer did
    abandoned,  // by who asked
  };
  End end = End::broken;
  int status = 0;    // 0: no head came
  std::string body;  // as far as it came
  Time begun{0}, ended{0};
};

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  /// `done` is called once. With `patience` it is abandoned then.
  static void begin(Schedule& schedule, Network& network, Address to, std::string request,
                    Time patience, std::function<void(Answer)> done);

 private:
  void change();
  void look();
  bool read_head();
  void read_body();
  void finish(Answer::End end);

  Network* network_ = nullptr;
  Schedule* schedule_ = nullptr;
  SocketPtr socket_;
  std::string request_;
  bool sent_ = false;
  std::string text_;  // head and body as they came
  bool head_read_ = false;
  struct Framing;
  std::shared_ptr<Framing> framing_;
  Answer answer_;
  std::function<void(Answer)> done_;
};

}  // namespace relay::simulation
