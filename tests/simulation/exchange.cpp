#include "tests/simulation/exchange.hpp"

#include <utility>

#include "common/http/chunked.hpp"
#include "common/http/head.hpp"

namespace relay::simulation {

struct Exchange::Framing {
  http::BodyFraming body;
  http::ChunkedReader chunks;
};

void Exchange::begin(Schedule& schedule, Network& network, Address to, std::string request,
                     Time patience, std::function<void(Answer)> done) {
  auto self = std::make_shared<Exchange>();
  self->schedule_ = &schedule;
  self->network_ = &network;
  self->request_ = std::move(request);
  self->done_ = std::move(done);
  self->answer_.begun = schedule.now();
  self->socket_ = std::make_shared<Socket>();
  self->socket_->local.host = outside_host;
  self->socket_->on_change = [self] { self->change(); };
  network.connect(self->socket_, to);
  if (patience != never) {
    schedule.after(patience, [self] { self->finish(Answer::End::abandoned); });
  }
}

void Exchange::change() {
  Socket& socket = *socket_;
  if (!done_) return;
  if (socket.connected && !std::exchange(sent_, true)) network_->send(socket_, request_);
  std::size_t have = text_.size(), more = socket.readable();
  text_.resize(have + more);
  network_->receive(socket, text_.data() + have, more, false);
  look();
  if (!done_ || !socket.ended) return;
  bool until_close = head_read_ && framing_->body.kind == http::BodyKind::until_close;
  if (until_close && !socket.broken) return finish(Answer::End::whole);
  finish(answer_.status == 0 && !sent_ ? Answer::End::refused : Answer::End::broken);
}

void Exchange::look() {
  if (!head_read_ && !read_head()) return;
  read_body();
}

bool Exchange::read_head() {
  std::size_t scanned = 0;
  std::size_t length = http::head_length(text_, scanned);
  if (length == 0) return false;
  http::FieldStore store;
  auto head = http::read_response_head(std::string_view(text_).substr(0, length), "GET", store);
  if (!head) {
    finish(Answer::End::broken);
    return false;
  }
  head_read_ = true;
  answer_.status = head->status;
  framing_ = std::make_shared<Framing>();
  framing_->body = head->body;
  text_.erase(0, length);
  return true;
}

void Exchange::read_body() {
  if (framing_->body.kind != http::BodyKind::chunked) {
    answer_.body += std::exchange(text_, {});
    bool sized = framing_->body.kind != http::BodyKind::until_close;
    if (sized && answer_.body.size() >= framing_->body.length) finish(Answer::End::whole);
    return;
  }
  std::string_view rest = text_;
  while (!framing_->chunks.done() && !framing_->chunks.broken()) {
    auto step = framing_->chunks.read(rest);
    answer_.body += step.payload;
    rest.remove_prefix(step.consumed);
    if (step.consumed == 0) break;
  }
  text_ = std::string(rest);
  if (framing_->chunks.broken()) return finish(Answer::End::broken);
  if (framing_->chunks.done()) finish(Answer::End::whole);
}

void Exchange::finish(Answer::End end) {
  if (!done_) return;
  auto done = std::exchange(done_, nullptr);
  answer_.end = end;
  answer_.ended = schedule_->now();
  network_->close(socket_);
  // It owns this, and may be what runs now.
  schedule_->after(Time(0), [socket = socket_] { socket->on_change = nullptr; });
  done(std::move(answer_));
}

}  // namespace relay::simulation
