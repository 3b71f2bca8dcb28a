#include "tests/simulation/origin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "common/http/date.hpp"
#include "common/http/head.hpp"

namespace relay::simulation {
namespace {

using namespace std::chrono_literals;

struct Range {
  std::size_t first = 0, end = 0;  // end: not with it
};

/// "bytes=N-" or "bytes=N-M", which is all that an edge asks for here.
std::optional<Range> range_of(const http::RequestHead& request, std::size_t size) {
  auto text = http::find(request.fields, "Range");
  if (!text || !text->starts_with("bytes=")) return std::nullopt;
  const char* end = text->data() + text->size();
  Range range{0, size};
  auto [dash, error] = std::from_chars(text->data() + 6, end, range.first);
  if (error != std::errc{} || dash == end || *dash != '-') return std::nullopt;
  std::size_t last = 0;
  if (std::from_chars(dash + 1, end, last).ec == std::errc{}) range.end = std::min(size, last + 1);
  if (range.first >= range.end) return std::nullopt;
  return range;
}

std::string in_chunks(std::string_view body) {
  constexpr std::size_t chunk_bytes = 5'000;
  std::string text;
  while (!body.empty()) {
    std::string_view chunk = body.substr(0, chunk_bytes);
    text += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
    body.remove_prefix(chunk.size());
  }
  return text + "0\r\n\r\n";
}

std::string date_at(Time now) {
  auto wall = std::chrono::floor<std::chrono::seconds>(wall_begin + now);
  return http::write_date(http::DateTime(wall));
}

}  // namespace

struct Origin::Client {
  SocketPtr socket;
  std::string heard;
  std::string to_send;
  std::size_t sent = 0;  // of it
  bool busy = false;
};

Origin::Origin(Schedule& schedule, Network& network, Content& content, Random random,
               std::function<void(const Fetch&)> on_fetch)
    : schedule_(schedule),
      network_(network),
      content_(content),
      random_(random),
      on_fetch_(std::move(on_fetch)),
      place_(std::make_shared<Socket>()) {
  place_->local = {origin_host, origin_port};
  place_->on_change = [this] { welcome(); };
  network_.listen(place_);
}

void Origin::welcome() {
  while (!place_->backlog.empty()) {
    auto client = std::make_shared<Client>();
    client->socket = std::move(place_->backlog.front());
    place_->backlog.pop_front();
    client->socket->on_change = [this, raw = client.get()] {
      for (const ClientPtr& each : clients_) {
        if (each.get() == raw) return hear(ClientPtr(each));
      }
    };
    clients_.push_back(client);
    hear(client);
  }
}

void Origin::hear(const ClientPtr& client) {
  Socket& socket = *client->socket;
  std::size_t have = client->heard.size(), more = socket.readable();
  client->heard.resize(have + more);
  network_.receive(socket, client->heard.data() + have, more, false);
  if (socket.ended || socket.broken) {
    network_.close(client->socket);
    std::erase(clients_, client);
    return;
  }
  std::size_t scanned = 0;
  std::size_t length = http::head_length(client->heard, scanned);
  if (client->busy || length == 0) return;
  http::FieldStore store;
  std::string head = client->heard.substr(0, length);
  client->heard.erase(0, length);
  auto request = http::read_request_head(head, store);
  if (request) return answer(client, *request);
  network_.close(client->socket);
  std::erase(clients_, client);
}

void Origin::answer(const ClientPtr& client, const http::RequestHead& request) {
  auto found = content_.find(request.target);
  if (!found) {
    network_.send(client->socket, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  const Thing& thing = content_.thing(*found);
  const std::string& body = content_.body(*found, thing.version);
  std::string etag = content_.etag(*found, thing.version);
  std::string fields = fmt::format(
      "Date: {}\r\nCache-Control: {}\r\nETag: {}\r\n"
      "Accept-Ranges: bytes\r\nCache-Tag: {}\r\n",
      date_at(schedule_.now()), thing.cache_control, etag, thing.tag);
  Fetch fetch{.begun = schedule_.now(),
              .host = client->socket->remote.host,
              .thing = *found,
              .version = thing.version};
  std::string head;
  std::string_view rest = body;
  auto range = range_of(request, body.size());
  auto only_of = minds_if_range_ ? http::find(request.fields, "If-Range") : std::nullopt;
  if (http::find(request.fields, "If-None-Match") == std::string_view(etag)) {
    fetch.kind = Fetch::Kind::unchanged;
    head = "HTTP/1.1 304 Not Modified\r\n" + fields + "\r\n";
    rest = {};
  } else if (range && (!only_of || *only_of == etag)) {
    bool to_end = range->end == body.size() && http::find(request.fields, "Range")->ends_with('-');
    fetch.kind = to_end ? Fetch::Kind::rest : Fetch::Kind::slice;
    fetch.first = range->first;
    rest = rest.substr(range->first, range->end - range->first);
    head = fmt::format("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {}-{}/{}\r\n",
                       range->first, range->end - 1, body.size());
  } else {
    head = "HTTP/1.1 200 OK\r\n";
  }
  if (fetch.kind != Fetch::Kind::unchanged) {
    bool chunked = !thing.sized && fetch.kind == Fetch::Kind::whole;
    head += fields;
    head += chunked ? "Transfer-Encoding: chunked\r\n\r\n"
                    : fmt::format("Content-Length: {}\r\n\r\n", rest.size());
    std::size_t head_bytes = head.size();
    fetches_.push_back(fetch);
    on_fetch_(fetch);
    send_slowly(client, fetches_.size() - 1, head + (chunked ? in_chunks(rest) : std::string(rest)),
                head_bytes);
    return;
  }
  fetches_.push_back(fetch);
  on_fetch_(fetch);
  std::size_t head_bytes = head.size();
  send_slowly(client, fetches_.size() - 1, std::move(head), head_bytes);
}

/// The head after a while, then the body in some pieces.
void Origin::send_slowly(const ClientPtr& client, std::size_t fetch, std::string text,
                         std::size_t head_bytes) {
  client->busy = true;
  bool large = text.size() - head_bytes > 10'000;
  auto pieces = static_cast<std::size_t>(random_.between(1, large ? 8 : 2));
  Time pause = Time(random_.between(1'000'000, 40'000'000));
  client->to_send = std::move(text);
  client->sent = 0;
  schedule_.after(Time(random_.between(300'000, 25'000'000)),
                  [=, this] { send_next(client, fetch, pieces, pause); });
}

void Origin::send_next(const ClientPtr& client, std::size_t fetch, std::size_t pieces_left,
                       Time pause) {
  if (client->socket->closed || client->socket->broken) return;
  std::string_view rest = std::string_view(client->to_send).substr(client->sent);
  std::size_t n = (rest.size() + pieces_left - 1) / pieces_left;
  std::int64_t sent = network_.send(client->socket, rest.substr(0, n));
  if (sent < 0) return;
  client->sent += static_cast<std::size_t>(sent);
  if (client->sent == client->to_send.size()) {
    fetches_[fetch].ended = schedule_.now();
    client->busy = false;
    hear(client);
    return;
  }
  std::size_t left = std::max<std::size_t>(pieces_left, 2) - 1;
  schedule_.after(pause, [=, this] { send_next(client, fetch, left, pause); });
}

}  // namespace relay::simulation
