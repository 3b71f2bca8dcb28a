#include "edge/deliver.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>

#include "common/base/check.hpp"
#include "common/http/problem.hpp"
#include "common/http/range.hpp"
#include "common/store/mapped_read.hpp"

namespace relay::edge {
namespace {

/// What an answer's head mostly has beside what is stored: Content-Length, Age, Cache-Status, Via.
constexpr std::size_t added_head_bytes = 320;

/// Whether all pages of these bytes are in memory; asking costs well under a microsecond.
bool resident(const char* address, std::size_t size) {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  auto from = reinterpret_cast<std::uintptr_t>(address) & ~(page - 1);
  auto to = reinterpret_cast<std::uintptr_t>(address) + size;
  std::size_t pages = (to - from + page - 1) / page;
  unsigned char state[64];
  if (pages > sizeof state) return false;
  if (::mincore(reinterpret_cast<void*>(from), to - from, state) != 0) return false;
  for (std::size_t i = 0; i < pages; ++i) {
    if (!(state[i] & 1)) return false;
  }
  return true;
}

}  // namespace

class Deliver::ObjectSource final : public Source {
 public:
  ObjectSource(const cache::Object& object, net::Blocking& blocking)
      : object_(object), blocking_(blocking) {}

  std::string_view ready(std::uint64_t offset, std::uint64_t length) override {
    if (length > copied_body_bytes_max) return {};
    cache::Piece piece = object_.piece(offset);
    if (piece.size < length) return {};
    if (!known_ && !resident(piece.address, length)) return {};
    if (length == object_.body_bytes()) note();
    return {piece.address, static_cast<std::size_t>(length)};
  }

  net::Task<Result<void>> send(net::Exchange& exchange, std::uint64_t offset,
                               std::uint64_t length) override {
    bool whole = length == object_.body_bytes();
    while (length > 0) {
      if (object_.in_memory()) {
        cache::Piece piece = object_.piece(offset);
        std::size_t n = std::min<std::uint64_t>(piece.size, length);
        auto sent = co_await exchange.write(std::string_view(piece.address, n));
        if (!sent) co_return sent;
        offset += n;
        length -= n;
        continue;
      }
      std::uint64_t gathered = gather(offset, length);
      if (!known_) {
        auto read = [&] { return bring_in(); };
        bool there = all_resident() || co_await net::run_blocking(blocking_, read);
        if (!there) {
          object_.note_unreadable();
          co_return fail(ErrorKind::corrupt, ErrorSource::disk, "a body cannot be read");
        }
      }
      // Before and after: a slow reader may take longer than the graveyard waits.
      object_.note_sendfile();
      auto sent = co_await exchange.write_files(std::span(pieces_.data(), count_));
      object_.note_sendfile();
      if (!sent && sent.error().source == ErrorSource::disk) object_.note_unreadable();
      if (!sent) co_return sent;
      offset += gathered;
      length -= gathered;
    }
    if (whole) note();
    co_return Result<void>{};
  }

  void note_unreadable() override { object_.note_unreadable(); }

 private:
  /// Fills pieces_ with what comes next; returns how many bytes that is.
  std::uint64_t gather(std::uint64_t offset, std::uint64_t length) {
    std::uint64_t bytes = 0;
    for (count_ = 0; count_ < pieces_.size() && bytes < length; ++count_) {
      cache::Piece piece = object_.piece(offset + bytes);
      std::uint64_t n = std::min<std::uint64_t>(piece.size, length - bytes);
      pieces_[count_] = {piece.fd, piece.file_offset, n};
      addresses_[count_] = piece.address;
      bytes += n;
    }
    return bytes;
  }
  bool all_resident() const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (!resident(addresses_[i], pieces_[i].length)) return false;
    }
    return true;
  }
  bool bring_in() const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (!store::touch_mapped({addresses_[i], pieces_[i].length})) return false;
    }
    return true;
  }
  /// All of the body has just been seen in memory, or brought there.
  void note() {
    if (!known_) object_.note_resident(steady_now());
  }
  const cache::Object& object_;
  net::Blocking& blocking_;
  const bool known_ = object_.in_memory() || object_.known_resident(steady_now());
  // As much as goes out in one turn; a larger body comes back for more.
  static constexpr std::size_t pieces_max = 16;
  std::array<net::FilePiece, pieces_max> pieces_;
  std::array<const char*, pieces_max> addresses_{};
  std::size_t count_ = 0;
};

class Deliver::FlightSource final : public Source {
 public:
  explicit FlightSource(Flight& flight) : flight_(flight) {}

  std::string_view ready(std::uint64_t offset, std::uint64_t length) override {
    std::string_view bytes = flight_.bytes_at(offset);
    return bytes.substr(0, std::min<std::uint64_t>(bytes.size(), length));
  }

  net::Task<Result<void>> send(net::Exchange& exchange, std::uint64_t offset,
                               std::uint64_t length) override {
    while (length > 0) {
      // In this order: a state seen before the bytes were looked at cannot hide newer bytes.
      std::uint64_t version = flight_.changed().version();
      FlightState state = flight_.view().state;
      std::string_view bytes = ready(offset, length);
      if (bytes.empty()) {
        if (state != FlightState::streaming) {
          co_return fail(ErrorKind::aborted, ErrorSource::upstream, "the flight ended early");
        }
        co_await flight_.changed().wait(version);
        continue;
      }
      auto sent = co_await exchange.write(bytes);
      if (!sent) co_return sent;
      offset += bytes.size();
      length -= bytes.size();
    }
    co_return Result<void>{};
  }

 private:
  Flight& flight_;
};

Deliver::Deliver(std::string edge_name, net::Blocking& blocking)
    : edge_name_(std::move(edge_name)),
      via_line_("Via: 1.1 " + edge_name_ + "\r\n"),
      blocking_(blocking) {
}

void Deliver::append_hop_lines(std::string& text, const Visit& visit) const {
  text += "Cache-Status: ";
  if (!visit.upstream_trail.empty()) text.append(visit.upstream_trail).append(", ");
  http::CacheStatus entry = visit.trail;
  entry.cache = edge_name_;
  http::append_to(text, entry);
  text += "\r\n";
  text += via_line_;
  if (visit.own_fields) visit.own_fields->append_to(text);
}

void Deliver::add_hop_fields(const Visit& visit, http::Headers& headers) const {
  http::CacheStatus entry = visit.trail;
  entry.cache = edge_name_;
  http::append_cache_status(headers, entry);
  http::append_via(headers, 1, edge_name_);
  if (!visit.own_fields) return;
  for (const http::Field& field : visit.own_fields->fields()) headers.add(field.name, field.value);
}

net::Task<void> Deliver::refuse(Visit& visit, http::Response response) const {
  response.headers.add("Access-Control-Allow-Origin", "*");
  response.headers.add("Access-Control-Expose-Headers",
                       "Cache-Status, Content-Range, Date, Retry-After");
  add_hop_fields(visit, response.headers);
  co_await visit.exchange.respond(std::move(response));
}

net::Task<void> Deliver::refuse_range(Visit& visit, std::uint64_t length) {
  auto response = http::problem(416, "no byte of that range is in the body");
  response.headers.add("Content-Range", http::write_content_range_unsatisfied(length));
  co_await refuse(visit, std::move(response));
}

net::Task<void> Deliver::send_plan(Visit& visit, const StoredResponse& stored, std::uint64_t length,
                                   Source& source, AnswerPlan plan) {
  RELAY_CHECK(plan.kind != AnswerKind::for_origin);
  int status = status_of(plan, stored);
  if (status == 416) {
    co_await refuse_range(visit, length);
    co_return;
  }
  std::string head = visit.exchange.head_buffer();
  head.reserve(head.size() + stored.head_text.size() + added_head_bytes);
  append_head(head, plan, stored, length, age_of(stored.freshness, visit.now));
  append_hop_lines(head, visit);
  std::uint64_t body_length = body_length_of(plan, stored, length);
  bool multipart = plan.kind == AnswerKind::parts;
  std::uint64_t offset = plan.ranges.empty() ? 0 : plan.ranges.front().first - plan.body_from;
  bool with_body = body_length > 0 && visit.request.method != "HEAD";
  std::string_view first;
  if (with_body && !multipart) first = source.ready(offset, body_length);
  auto begun = co_await visit.exchange.begin_raw(std::move(head), status, body_length, first);
  if (!begun && begun.error().source == ErrorSource::disk) source.note_unreadable();
  if (!begun || !with_body) co_return;
  if (!multipart) {
    auto sent =
        co_await source.send(visit.exchange, offset + first.size(), body_length - first.size());
    if (!sent) visit.exchange.abort();
    co_return;
  }
  for (const http::ByteRange& range : plan.ranges) {
    std::string between = http::multipart_head(part_boundary, stored.content_type, range, length);
    auto sent = co_await visit.exchange.write(between);
    if (sent) sent = co_await source.send(visit.exchange, range.first, range.length());
    if (!sent) {
      visit.exchange.abort();
      co_return;
    }
  }
  std::string end = http::multipart_end(part_boundary);
  co_await visit.exchange.write(end);
}

net::Task<void> Deliver::object(Visit& visit, const cache::Object& object,
                                const StoredResponse& stored) {
  ObjectSource source(object, blocking_);
  AnswerPlan plan = plan_answer(visit.request, stored, object.body_bytes());
  co_await send_plan(visit, stored, object.body_bytes(), source, std::move(plan));
}

net::Task<void> Deliver::part(Visit& visit, const cache::Object& object,
                              const StoredResponse& stored, AnswerPlan plan, std::uint64_t length) {
  ObjectSource source(object, blocking_);
  co_await send_plan(visit, stored, length, source, std::move(plan));
}

net::Task<void> Deliver::from(Visit& visit, const StoredResponse& stored, std::uint64_t length,
                              Source& source) {
  AnswerPlan plan = plan_answer(visit.request, stored, length);
  co_await send_plan(visit, stored, length, source, std::move(plan));
}

net::Task<Result<void>> Deliver::send(net::Exchange& exchange, const cache::Object& object,
                                      std::uint64_t offset, std::uint64_t length) {
  ObjectSource source(object, blocking_);
  co_return co_await source.send(exchange, offset, length);
}

net::Task<Result<void>> Deliver::send(net::Exchange& exchange, Flight& flight, std::uint64_t offset,
                                      std::uint64_t length) {
  FlightSource source(flight);
  co_return co_await source.send(exchange, offset, length);
}

net::Task<void> Deliver::flight(Visit& visit, Flight& flight, FlightView view) {
  visit.upstream_trail = view.upstream_trail;
  if (!view.length) {
    co_await send_growing(visit, flight, view);
    co_return;
  }
  FlightSource source(flight);
  AnswerPlan plan = plan_answer(visit.request, *view.stored, *view.length);
  co_await send_plan(visit, *view.stored, *view.length, source, std::move(plan));
}

/// The end is not known yet: chunked, whole, and without conditions on its length.
net::Task<void> Deliver::send_growing(Visit& visit, Flight& flight, const FlightView& view) {
  const StoredResponse& stored = *view.stored;
  AnswerPlan plan = plan_answer(visit.request, stored, std::nullopt);
  if (plan.kind != AnswerKind::whole) {
    FlightSource source(flight);
    co_await send_plan(visit, stored, 0, source, std::move(plan));  // 304: no body
    co_return;
  }
  std::vector<http::Field> fields = stored.fields();
  http::ResponseHead head{stored.status, http::Headers(http::Fields(fields))};
  auto age = std::chrono::floor<std::chrono::seconds>(age_of(stored.freshness, visit.now));
  head.headers.set("Age", std::to_string(age.count()));
  if (!visit.upstream_trail.empty()) head.headers.set("Cache-Status", visit.upstream_trail);
  add_hop_fields(visit, head.headers);
  auto begun = co_await visit.exchange.begin(std::move(head), std::nullopt);
  if (!begun || visit.request.method == "HEAD") co_return;
  std::uint64_t offset = 0;
  while (true) {
    std::uint64_t version = flight.changed().version();
    FlightView now = flight.view();
    std::string_view bytes = flight.bytes_at(offset);
    if (!bytes.empty()) {
      if (auto sent = co_await visit.exchange.write(bytes); !sent) co_return;
      offset += bytes.size();
      continue;
    }
    if (now.state == FlightState::complete) break;
    if (now.state == FlightState::failed) {
      visit.exchange.abort();
      co_return;
    }
    co_await flight.changed().wait(version);
  }
  co_await visit.exchange.finish();
}

}  // namespace relay::edge
